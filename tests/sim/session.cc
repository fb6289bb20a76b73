// A session's asking side: wait, grant, refusal, eviction, probe; and its client's whims.
#include "session.h"

#include <string>

namespace connguard::sim {

Session::Session(std::uint64_t ticket, const Plan& plan, const Surroundings& around)
    : ticket_(ticket),
      plan_(plan),
      around_(around),
      agenda_(around.agenda),
      dice_(around.dice),
      began_(around.agenda.now()),
      wait_timer_(agenda_),
      tunnel_timer_(agenda_),
      heartbeat_timer_(agenda_) {}

void Session::Require(bool holds, const char* what) const {
  around_.judge.Require(holds, plan_.key, "#" + std::to_string(ticket_) + ": " + what);
}

void Session::Start() {
  const OnConflict policy =
      plan_.mixed ? dice_.OneOf({OnConflict::kTakeover, OnConflict::kReject, OnConflict::kShare})
                  : plan_.on_conflict;
  around_.fence.Acquire(ticket_, policy);
  wait_timer_.Arm(agenda_.now() + plan_.wait, [this] { WaitIsOver(); });
  if (dice_.Percent(25)) ScheduleDrop(dice_.Delay(0, 3'000));
}

void Session::Hear(const FenceEffect& effect) {
  switch (effect.kind) {
    case FenceEffect::Kind::kGrant:
      return Granted(effect.epoch);
    case FenceEffect::Kind::kSupersede:
    case FenceEffect::Kind::kConflict:
      wait_timer_.Disarm();
      refused_by_fence_ = true;
      if (client_ == Client::kAsking) Answer(409);
      return;
    case FenceEffect::Kind::kEvict:
      if (epoch_ == effect.epoch && !released_) Evicted();
      return;
    case FenceEffect::Kind::kProbe:
      if (epoch_ == effect.epoch && !released_ && !tunnel_->client_gone()) Probed();
      return;
  }
}

// The race: the client may have left, or its wait may be over, while the grant was on its way.
void Session::Granted(Epoch epoch) {
  Require(!granted_ && !refused_by_fence_, "granted after another answer");
  granted_ = true;
  wait_timer_.Disarm();
  if (client_ != Client::kAsking) {
    around_.judge.Saw("grants that came too late");
    if (around_.fault != Fault::kKeepsLateGrants) around_.fence.Release(epoch);
    return;
  }
  epoch_ = epoch;
  tunnel_.emplace(plan_.tunnel, plan_.turn, agenda_.now());
  backend_.emplace(plan_, agenda_, dice_, around_.judge, *this);
  backend_->Dial();
  AfterTunnel();
}

void Session::Evicted() {
  if (tunnel_->client_gone()) return;
  if (client_ == Client::kAsking) Answer(409);
  ClientGone(CloseCause::kSuperseded, CloseCode::kAbnormal);
}

void Session::Probed() {
  // In its handshake a client cannot be pinged: it counts as alive while its connection stands.
  if (!heartbeat_) return around_.fence.Answered(epoch_);
  probed_ = true;
  heartbeat_->Probe(plan_.probe, agenda_.now());
  Beat();
}

void Session::AnswerProbe() {
  if (!probed_ || tunnel_->client_gone()) return;
  probed_ = false;
  around_.fence.Answered(epoch_);
}

void Session::WaitIsOver() {
  if (client_ != Client::kAsking) return;
  around_.fence.Abandon(ticket_);
  Answer(503);
}

// 101 opens the session, anything else ends the client.
void Session::Answer(int status) {
  Require(client_ == Client::kAsking && ++answers_ == 1, "answered twice");
  around_.judge.Saw("answers " + std::to_string(status));
  const Millis slack = 2 * kSlowestMailbox;
  Require(agenda_.now() - began_ <= plan_.wait + plan_.tunnel.handshake_timeout + slack,
          "kept waiting for too long");
  client_ = status == 101 ? Client::kOpen : Client::kGone;
}

void Session::ScheduleDrop(Millis delay) {
  agenda_.In(delay, [this] { Drop(); });
}

void Session::Drop() {
  if (client_ == Client::kGone || silent_) return;
  left_ = true;
  if (client_ == Client::kAsking) return LeavesAsking();
  switch (dice_.Between(1, 6)) {
    case 1:
      return ClientGone(CloseCause::kClientClosed,
                        dice_.OneOf({CloseCode::kNormal, CloseCode::kGoingAway, CloseCode::kNone,
                                     CloseCode{3000}, CloseCode{1015}}));
    case 2:
      return ClientGone(CloseCause::kClientLost, CloseCode::kAbnormal);
    case 3:
      return ClientGone(CloseCause::kClientReset, CloseCode::kAbnormal);
    case 4:
      return ClientGone(CloseCause::kClientInvalid, CloseCode::kAbnormal);
    case 5:
      return ClientGone(CloseCause::kClientSlow, CloseCode::kAbnormal);
    default:
      silent_ = true;  // the heartbeat finds it
  }
}

void Session::LeavesAsking() {
  if (tunnel_) return ClientGone(CloseCause::kClientReset, CloseCode::kAbnormal);
  client_ = Client::kGone;
  wait_timer_.Disarm();
  if (!granted_ && !refused_by_fence_) around_.fence.Abandon(ticket_);
}

void Session::ClientGone(CloseCause cause, CloseCode code) {
  client_ = Client::kGone;
  heartbeat_timer_.Disarm();
  tunnel_->ClientGone(cause, code, agenda_.now());
  AfterTunnel();
}

void Session::CheckOver() const {
  Require(answers_ == 1 || (answers_ == 0 && left_), "a client without an answer");
  Require(client_ == Client::kGone, "a client was left connected");
  Require(!wait_timer_.armed() && !heartbeat_timer_.armed() && !tunnel_timer_.armed(),
          "a timer was left over");
  if (!tunnel_) return;
  Require(tunnel_->state() == Tunnel::State::kOver && released_, "a tunnel without an end");
  Require(!backend_->live(), "an upstream without an end");
}

}  // namespace connguard::sim
