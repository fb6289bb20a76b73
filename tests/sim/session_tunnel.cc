// A session's tunnel side: what the legs tell it, and what it makes them do.
#include <string>

#include "session.h"

namespace connguard::sim {
namespace {

const char* Word(TunnelEffect::Kind kind) {
  switch (kind) {
    case TunnelEffect::Kind::kCloseUpstream:
      return "closes upstream";
    case TunnelEffect::Kind::kReplyUpstream:
      return "replies upstream";
    case TunnelEffect::Kind::kResetUpstream:
      return "resets upstream";
    case TunnelEffect::Kind::kEndClient:
      return "ends client";
    case TunnelEffect::Kind::kDropped:
      return "tells a drop";
    case TunnelEffect::Kind::kBarrier:
      return "asks barrier";
    case TunnelEffect::Kind::kRelease:
      return "releases";
  }
  return "";
}

}  // namespace

void Session::OnReady() {
  tunnel_->UpstreamReady(agenda_.now());
  if (!tunnel_->client_gone()) {
    Answer(101);
    heartbeat_.emplace(plan_.heartbeat, agenda_.now());
    Beat();
    ScheduleMessages();
    ScheduleDrop(dice_.Percent(20) ? Millis{0} : dice_.Delay(0, 10'000));
  }
  AfterTunnel();
}

void Session::OnUpstreamMessage(bool final) {
  const bool matched = plan_.turn.end == TurnEnd::kMatch && final;
  const bool told = around_.fault == Fault::kTakesTokensForFinal || matched;
  tunnel_->UpstreamMessage(told, agenda_.now());
  AfterTunnel();
}

void Session::OnUpstreamClose() {
  tunnel_->UpstreamClose(agenda_.now());
  AfterTunnel();
}

void Session::OnUpstreamFault() {
  faulty_upstream_ = true;
  tunnel_->UpstreamFault(CloseCause::kUpstreamProtocol, agenda_.now());
  AfterTunnel();
}

void Session::OnUpstreamGone(CloseCause cause) {
  tunnel_->UpstreamGone(cause, agenda_.now());
  AfterTunnel();
}

void Session::OnBarrier() {
  tunnel_->BarrierPassed(agenda_.now());
  AfterTunnel();
}

void Session::ScheduleMessages() {
  const std::int64_t burst = dice_.Percent(80) ? 1 : dice_.Between(2, 5);
  agenda_.In(dice_.Delay(0, 2'000), [this, burst] {
    if (client_ != Client::kOpen || silent_) return;
    for (std::int64_t i = 0; i < burst; ++i) SendMessage();
    ScheduleMessages();
  });
}

void Session::SendMessage() {
  heartbeat_->Heard(agenda_.now());
  AnswerProbe();
  ++held_;
  PassMessagesOn();
}

void Session::PassMessagesOn() {
  while (held_ > 0 && tunnel_->state() == Tunnel::State::kOpen && tunnel_->turn().open()) {
    --held_;
    tunnel_->ClientMessage(agenda_.now());
    backend_->Message();
    const std::uint32_t window = plan_.turn.window;
    Require(window == 0 || tunnel_->turn().in_flight() <= window, "more turns than the window");
  }
}

// A living client answers a ping a moment later.
void Session::Beat() {
  if (client_ != Client::kOpen) return;
  while (const auto effect = heartbeat_->PollEffect()) {
    if (*effect == HeartbeatEffect::kDead) {
      return ClientGone(CloseCause::kClientTimeout, CloseCode::kAbnormal);
    }
    agenda_.In(dice_.Delay(1, 100), [this] {
      if (client_ != Client::kOpen || silent_) return;
      heartbeat_->Heard(agenda_.now());
      AnswerProbe();
    });
  }
  heartbeat_timer_.Arm(heartbeat_->NextTimeout(), [this] {
    heartbeat_->Tick(agenda_.now());
    Beat();
  });
}

// input -> drain effects -> re-arm the one timer
void Session::AfterTunnel() {
  while (const auto effect = tunnel_->PollEffect()) Obey(*effect);
  PassMessagesOn();
  if (around_.fault == Fault::kForgetsItsTimer) return;
  tunnel_timer_.Arm(tunnel_->NextTimeout(), [this] {
    tunnel_->Tick(agenda_.now());
    AfterTunnel();
  });
}

void Session::Obey(const TunnelEffect& effect) {
  Require(!released_, "an effect after the release");
  around_.judge.Saw(Word(effect.kind));
  switch (effect.kind) {
    case TunnelEffect::Kind::kCloseUpstream:
      CheckClose();
      return backend_->Close();
    case TunnelEffect::Kind::kReplyUpstream:
      return backend_->Reply();
    case TunnelEffect::Kind::kResetUpstream:
      Require(backend_->live(), "reset what was gone");
      return backend_->Reset();
    case TunnelEffect::Kind::kEndClient:
      return EndClient();
    case TunnelEffect::Kind::kDropped:
      Require(++drops_ == 1, "dropped twice");
      around_.fence.Dropped(epoch_);
      if (around_.fault == Fault::kReleasesOnDrop) around_.fence.Release(epoch_);
      return;
    case TunnelEffect::Kind::kBarrier:
      Require(!backend_->live(), "a barrier while the upstream is live");
      return backend_->AskBarrier();
    case TunnelEffect::Kind::kRelease:
      return Released();
  }
}

// The bug that the guard is for: a backend that loses its socket in mid-turn.
void Session::CheckClose() const {
  Require(backend_->live(), "closed what was gone");
  const bool given_up = tunnel_->overdue() || tunnel_->turn().overdue();
  if (plan_.tunnel.on_drop == OnDrop::kClose || !plan_.exact_turns()) return;
  if (given_up || faulty_upstream_) return;
  Require(backend_->unfinished() == 0, "closed in mid-turn");
}

void Session::EndClient() {
  Require(++ends_ == 1 && client_ != Client::kGone, "a client was ended that was gone");
  if (client_ == Client::kAsking) return Answer(502);
  client_ = Client::kGone;
  heartbeat_timer_.Disarm();
}

void Session::Released() {
  Require(!backend_->live(), "released while the upstream is live");
  Require(tunnel_->NextTimeout() == kNever, "a time-out after the end");
  const bool never_was = tunnel_->cause() == CloseCause::kUpstreamUnreachable;
  Require(drops_ == 1 || never_was, "released without a drop");
  released_ = true;
  if (tunnel_->overdue()) around_.judge.Saw("shielded turns given up");
  around_.judge.Saw(Describe(tunnel_->cause()).word);
  if (around_.fault != Fault::kReleasesOnDrop) around_.fence.Release(epoch_);
}

}  // namespace connguard::sim
