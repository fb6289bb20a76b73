// The life of one upstream session.
#include "connguard/tunnel.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "core/transition_table.h"

namespace connguard {

enum class Tunnel::Event : std::uint8_t {
  kUpstreamReady,
  kClientGoneIdle,      // between turns
  kClientGoneBusy,      // in mid-turn, on_drop: finish
  kClientGoneAbruptly,  // in mid-turn, on_drop: close
  kTurnsOver,           // nothing is in flight
  kUpstreamClose,
  kUpstreamFault,
  kUpstreamGone,
  kUpstreamUnreachable,
  kTimeout,  // of the state; in Settling: and there is a barrier
  kSettled,  // settle is over, and there is no barrier
  kBarrierPassed,
};

enum class Tunnel::Action : std::uint8_t {
  kNone,
  kDrop,   // the fence learns that the client is gone
  kEnd,    // the client's leg is ended
  kClose,  // the upstream gets a Close
  kReply,  // the upstream's Close is answered
  kReset,  // the upstream's socket is reset
  kAskBarrier,
  kFree,  // the fence is released
};

struct Tunnel::Table {
  using enum State;
  using enum Event;
  using enum Action;
  using Rules = Transitions<kOver, kBarrierPassed, Action, 3>;

  // clang-format off
  static constexpr auto kRows = std::to_array<Rules::Row>({
      {kDialing,   kUpstreamReady,       kOpen,      {}},
      {kDialing,   kClientGoneIdle,      kOrphaned,  {kDrop}},
      {kDialing,   kClientGoneBusy,      kOrphaned,  {kDrop}},
      {kDialing,   kClientGoneAbruptly,  kOrphaned,  {kDrop}},
      {kDialing,   kTurnsOver,           kDialing,   {}},
      {kDialing,   kUpstreamClose,       kDialing,   {}},
      {kDialing,   kUpstreamFault,       kSettling,  {kReset, kEnd, kDrop}},
      {kDialing,   kUpstreamGone,        kSettling,  {kEnd, kDrop}},
      {kDialing,   kUpstreamUnreachable, kOver,      {kEnd, kFree}},     // nothing to wait for
      {kDialing,   kTimeout,             kSettling,  {kReset, kEnd, kDrop}},
      {kDialing,   kSettled,             kDialing,   {}},
      {kDialing,   kBarrierPassed,       kDialing,   {}},

      {kOrphaned,  kUpstreamReady,       kLingering, {}},
      {kOrphaned,  kClientGoneIdle,      kOrphaned,  {}},
      {kOrphaned,  kClientGoneBusy,      kOrphaned,  {}},
      {kOrphaned,  kClientGoneAbruptly,  kOrphaned,  {}},
      {kOrphaned,  kTurnsOver,           kOrphaned,  {}},
      {kOrphaned,  kUpstreamClose,       kOrphaned,  {}},
      {kOrphaned,  kUpstreamFault,       kSettling,  {kReset}},
      {kOrphaned,  kUpstreamGone,        kSettling,  {}},
      {kOrphaned,  kUpstreamUnreachable, kOver,      {kFree}},
      {kOrphaned,  kTimeout,             kSettling,  {kReset}},
      {kOrphaned,  kSettled,             kOrphaned,  {}},
      {kOrphaned,  kBarrierPassed,       kOrphaned,  {}},

      {kOpen,      kUpstreamReady,       kOpen,      {}},
      {kOpen,      kClientGoneIdle,      kLingering, {kDrop}},
      {kOpen,      kClientGoneBusy,      kShielded,  {kDrop}},
      {kOpen,      kClientGoneAbruptly,  kClosing,   {kDrop, kClose}},
      {kOpen,      kTurnsOver,           kOpen,      {}},
      {kOpen,      kUpstreamClose,       kClosing,   {kReply, kEnd, kDrop}},
      {kOpen,      kUpstreamFault,       kClosing,   {kClose, kEnd, kDrop}},
      {kOpen,      kUpstreamGone,        kSettling,  {kEnd, kDrop}},
      {kOpen,      kUpstreamUnreachable, kSettling,  {kEnd, kDrop}},
      {kOpen,      kTimeout,             kOpen,      {}},
      {kOpen,      kSettled,             kOpen,      {}},
      {kOpen,      kBarrierPassed,       kOpen,      {}},

      {kShielded,  kUpstreamReady,       kShielded,  {}},
      {kShielded,  kClientGoneIdle,      kShielded,  {}},
      {kShielded,  kClientGoneBusy,      kShielded,  {}},
      {kShielded,  kClientGoneAbruptly,  kShielded,  {}},
      {kShielded,  kTurnsOver,           kLingering, {}},
      {kShielded,  kUpstreamClose,       kClosing,   {kReply}},
      {kShielded,  kUpstreamFault,       kClosing,   {kClose}},
      {kShielded,  kUpstreamGone,        kSettling,  {}},
      {kShielded,  kUpstreamUnreachable, kSettling,  {}},
      {kShielded,  kTimeout,             kShielded,  {}},
      {kShielded,  kSettled,             kShielded,  {}},
      {kShielded,  kBarrierPassed,       kShielded,  {}},

      {kLingering, kUpstreamReady,       kLingering, {}},
      {kLingering, kClientGoneIdle,      kLingering, {}},
      {kLingering, kClientGoneBusy,      kLingering, {}},
      {kLingering, kClientGoneAbruptly,  kLingering, {}},
      {kLingering, kTurnsOver,           kLingering, {}},
      {kLingering, kUpstreamClose,       kClosing,   {kReply}},
      {kLingering, kUpstreamFault,       kClosing,   {kClose}},
      {kLingering, kUpstreamGone,        kSettling,  {}},
      {kLingering, kUpstreamUnreachable, kSettling,  {}},
      {kLingering, kTimeout,             kClosing,   {kClose}},
      {kLingering, kSettled,             kLingering, {}},
      {kLingering, kBarrierPassed,       kLingering, {}},

      {kClosing,   kUpstreamReady,       kClosing,   {}},
      {kClosing,   kClientGoneIdle,      kClosing,   {}},
      {kClosing,   kClientGoneBusy,      kClosing,   {}},
      {kClosing,   kClientGoneAbruptly,  kClosing,   {}},
      {kClosing,   kTurnsOver,           kClosing,   {}},
      {kClosing,   kUpstreamClose,       kClosing,   {}},                // the leg shuts down
      {kClosing,   kUpstreamFault,       kSettling,  {kReset}},          // it was told already
      {kClosing,   kUpstreamGone,        kSettling,  {}},
      {kClosing,   kUpstreamUnreachable, kSettling,  {}},
      {kClosing,   kTimeout,             kSettling,  {kReset}},
      {kClosing,   kSettled,             kClosing,   {}},
      {kClosing,   kBarrierPassed,       kClosing,   {}},

      {kSettling,  kUpstreamReady,       kSettling,  {}},
      {kSettling,  kClientGoneIdle,      kSettling,  {}},
      {kSettling,  kClientGoneBusy,      kSettling,  {}},
      {kSettling,  kClientGoneAbruptly,  kSettling,  {}},
      {kSettling,  kTurnsOver,           kSettling,  {}},
      {kSettling,  kUpstreamClose,       kSettling,  {}},
      {kSettling,  kUpstreamFault,       kSettling,  {}},
      {kSettling,  kUpstreamGone,        kSettling,  {}},
      {kSettling,  kUpstreamUnreachable, kSettling,  {}},
      {kSettling,  kTimeout,             kBarrier,   {kAskBarrier}},
      {kSettling,  kSettled,             kOver,      {kFree}},
      {kSettling,  kBarrierPassed,       kSettling,  {}},

      {kBarrier,   kUpstreamReady,       kBarrier,   {}},
      {kBarrier,   kClientGoneIdle,      kBarrier,   {}},
      {kBarrier,   kClientGoneBusy,      kBarrier,   {}},
      {kBarrier,   kClientGoneAbruptly,  kBarrier,   {}},
      {kBarrier,   kTurnsOver,           kBarrier,   {}},
      {kBarrier,   kUpstreamClose,       kBarrier,   {}},
      {kBarrier,   kUpstreamFault,       kBarrier,   {}},
      {kBarrier,   kUpstreamGone,        kBarrier,   {}},
      {kBarrier,   kUpstreamUnreachable, kBarrier,   {}},
      {kBarrier,   kTimeout,             kOver,      {kFree}},
      {kBarrier,   kSettled,             kBarrier,   {}},
      {kBarrier,   kBarrierPassed,       kOver,      {kFree}},

      {kOver,      kUpstreamReady,       kOver,      {}},
      {kOver,      kClientGoneIdle,      kOver,      {}},
      {kOver,      kClientGoneBusy,      kOver,      {}},
      {kOver,      kClientGoneAbruptly,  kOver,      {}},
      {kOver,      kTurnsOver,           kOver,      {}},
      {kOver,      kUpstreamClose,       kOver,      {}},
      {kOver,      kUpstreamFault,       kOver,      {}},
      {kOver,      kUpstreamGone,        kOver,      {}},
      {kOver,      kUpstreamUnreachable, kOver,      {}},
      {kOver,      kTimeout,             kOver,      {}},
      {kOver,      kSettled,             kOver,      {}},
      {kOver,      kBarrierPassed,       kOver,      {}},
  });
  // clang-format on
  static_assert(Rules::Total(kRows));
};

namespace {

// RFC 6455 §7.4: what may stand in a Close frame.
bool Sendable(CloseCode code) {
  const auto n = static_cast<unsigned>(code);
  if (n >= 3000) return n <= 4999;
  return n >= 1000 && n <= 1014 && n != 1004 && n != 1005 && n != 1006;
}

}  // namespace

Tunnel::Tunnel(const TunnelPolicy& policy, const TurnPolicy& turn, TimePoint now)
    : policy_(policy), turn_(turn), deadline_(now + policy.handshake_timeout) {}

void Tunnel::UpstreamReady(TimePoint now) {
  if (ready_at_ == TimePoint::min()) ready_at_ = now;
  Apply(Event::kUpstreamReady, now);
  Advance(now);
}

void Tunnel::ClientGone(CloseCause cause, CloseCode code, TimePoint now) {
  if (client_gone_) return;
  turn_.Tick(now);
  upstream_code_ = UpstreamCode(cause, code);
  NoteCause(cause);
  client_gone_ = true;
  Apply(ClientGoneEvent(), now);
  Advance(now);
}

void Tunnel::ClientMessage(TimePoint now) {
  if (state_ == State::kOpen) turn_.Begin(now);
}

void Tunnel::ClientMessageCut(TimePoint now) {
  if (state_ == State::kOpen) turn_.Withdraw(now);
}

void Tunnel::UpstreamMessage(bool matched, TimePoint now) {
  if (state_ != State::kOpen && state_ != State::kShielded) return;
  turn_.Answer(matched, now);
  Advance(now);
}

void Tunnel::UpstreamClose(TimePoint now) {
  EndUpstream(CloseCause::kUpstreamClosed, Event::kUpstreamClose, now);
}

void Tunnel::UpstreamFault(CloseCause cause, TimePoint now) {
  upstream_code_ = Describe(cause).to_upstream;
  assert(Sendable(upstream_code_));
  EndUpstream(cause, Event::kUpstreamFault, now);
}

void Tunnel::UpstreamGone(CloseCause cause, TimePoint now) {
  const bool unreachable = cause == CloseCause::kUpstreamUnreachable;
  EndUpstream(cause, unreachable ? Event::kUpstreamUnreachable : Event::kUpstreamGone, now);
}

void Tunnel::EndUpstream(CloseCause cause, Event event, TimePoint now) {
  const State before = state_;
  end_cause_ = cause;
  Apply(event, now);
  if (state_ != before) NoteCause(cause);
  Advance(now);
}

void Tunnel::BarrierPassed(TimePoint now) {
  Apply(Event::kBarrierPassed, now);
  Advance(now);
}

void Tunnel::Tick(TimePoint now) {
  turn_.Tick(now);
  Advance(now);
}

TimePoint Tunnel::NextTimeout() const {
  // While the client is here, only its messages that wait for the window wait for a turn's end.
  const bool turns_matter = state_ == State::kShielded || (state_ == State::kOpen && !turn_.open());
  return turns_matter ? std::min(deadline_, turn_.NextTimeout()) : deadline_;
}

Tunnel::Event Tunnel::ClientGoneEvent() const {
  if (turn_.idle()) return Event::kClientGoneIdle;
  return policy_.on_drop == OnDrop::kFinish ? Event::kClientGoneBusy : Event::kClientGoneAbruptly;
}

Tunnel::Event Tunnel::TimeoutEvent() const {
  const bool settled = state_ == State::kSettling && !policy_.barrier;
  return settled ? Event::kSettled : Event::kTimeout;
}

CloseCode Tunnel::UpstreamCode(CloseCause cause, CloseCode code) const {
  // A session that no client ever saw ends normally, whatever became of its client.
  if (state_ == State::kDialing) return CloseCode::kNormal;
  if (cause != CloseCause::kClientClosed) {
    const CloseCode own = Describe(cause).to_upstream;
    return Sendable(own) ? own : CloseCode::kGoingAway;
  }
  if (turn_.idle()) {
    return Sendable(code) || code == CloseCode::kNone ? code : CloseCode::kNormal;
  }
  return code == CloseCode::kGoingAway ? code : CloseCode::kNormal;
}

void Tunnel::Apply(Event event, TimePoint now) {
  const auto& row = Table::Rules::Find(Table::kRows, state_, event);
  for (const Action action : row.actions) Run(action);
  if (row.next != state_) Enter(row.next, now);
}

void Tunnel::Run(Action action) {
  using Kind = TunnelEffect::Kind;
  switch (action) {
    case Action::kNone:
      return;
    case Action::kDrop:
      return effects_.Push({Kind::kDropped});
    case Action::kEnd:
      client_gone_ = true;
      return effects_.Push({Kind::kEndClient, CloseCode::kNone, end_cause_});
    case Action::kClose:
      return effects_.Push({Kind::kCloseUpstream, upstream_code_});
    case Action::kReply:
      return effects_.Push({Kind::kReplyUpstream});
    case Action::kReset:
      return effects_.Push({Kind::kResetUpstream});
    case Action::kAskBarrier:
      return effects_.Push({Kind::kBarrier});
    case Action::kFree:
      return effects_.Push({Kind::kRelease});
  }
}

void Tunnel::Enter(State next, TimePoint now) {
  state_ = next;
  switch (next) {
    case State::kDialing:
    case State::kOrphaned:
      return;  // one deadline for both, from the start of the dial
    case State::kLingering:
      // A handler that has just begun needs the same pause as one that has just answered.
      deadline_ = std::max(turn_.ended_at(), ready_at_) + policy_.linger;
      return;
    case State::kClosing:
    case State::kBarrier:
      deadline_ = now + policy_.close_timeout;
      return;
    case State::kSettling:
      deadline_ = now + policy_.settle;
      return;
    case State::kOpen:
    case State::kShielded:
    case State::kOver:
      deadline_ = kNever;
      return;
  }
}

// What follows without another event: the end of the turns, and every time-out that is due.
void Tunnel::Advance(TimePoint now) {
  if (turn_.idle()) {
    if (state_ == State::kShielded) overdue_ = turn_.overdue();
    Apply(Event::kTurnsOver, now);
  }
  while (deadline_ <= now) {
    if (state_ == State::kDialing || state_ == State::kOrphaned) {
      end_cause_ = CloseCause::kUpstreamHandshakeTimeout;
      NoteCause(end_cause_);
    }
    Apply(TimeoutEvent(), now);
  }
}

void Tunnel::NoteCause(CloseCause cause) {
  if (!cause_) cause_ = cause;
}

}  // namespace connguard
