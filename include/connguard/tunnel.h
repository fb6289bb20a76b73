// Tunnel: the life of one upstream session, from its grant to its release.
#pragma once

#include <cstdint>
#include <optional>

#include "connguard/close_cause.h"
#include "connguard/effects.h"
#include "connguard/turn.h"
#include "connguard/types.h"

namespace connguard {

// What becomes of the upstream when its client drops in mid-turn.
enum class OnDrop : std::uint8_t { kFinish, kClose };

struct TunnelPolicy {
  OnDrop on_drop = OnDrop::kFinish;
  Millis linger{50};                 // from the end of the last turn to the upstream's Close
  Millis handshake_timeout{30'000};  // for the upstream's answer, from the start of the dial
  Millis close_timeout{5'000};  // for the upstream's Close and FIN, and for the barrier's answer
  Millis settle{100};           // from the upstream's end to the release
  bool barrier = false;         // one more answer of the backend before the release
};

struct TunnelEffect {
  enum class Kind : std::uint8_t {
    kCloseUpstream,  // send Close `code` (kNone: empty) when at a frame boundary, else end by FIN;
                     // on the peer's Close: shut down at once
    kReplyUpstream,  // the upstream sent Close: flush, echo it, shut down
    kResetUpstream,  // close_timeout or handshake_timeout is over: reset the socket; the machine
                     // takes it for gone and ignores a later UpstreamGone
    kEndClient,      // end the client's leg for `cause` (its row has the code; kUpstreamClosed: the
                     // upstream's own)
    kDropped,        // tell the fence that the client is gone
    kBarrier,        // send the barrier request; BarrierPassed or the time-out ends it
    kRelease,        // the upstream is really over: release the fence. The last effect.
  };
  Kind kind = Kind::kRelease;
  CloseCode code = CloseCode::kNone;
  CloseCause cause = CloseCause::kClientClosed;

  friend bool operator==(const TunnelEffect&, const TunnelEffect&) = default;
};

// Tunnel decides when an upstream may be closed and when it is over. The client's own closing
// handshake does not hold it up and is not its business.
//
// Pure: no I/O, no clock; `now` must not go backwards. Owned by one worker; not thread-safe.
// After any call, drain PollEffect(), then re-read NextTimeout().
class Tunnel {
 public:
  enum class State : std::uint8_t {
    kDialing,    // granted; the upstream's handshake is under way, the client waits
    kOrphaned,   // as kDialing, but the client has left: finish the handshake, then close
    kOpen,       // frames are relayed
    kShielded,   // the client is gone in mid-turn; the upstream works on
    kLingering,  // turns are over; a pause for the backend's handler to return
    kClosing,    // Close sent, or echoed; waiting for the upstream's Close and FIN
    kSettling,   // the upstream's socket is gone; a pause for the backend to notice
    kBarrier,    // waiting for the barrier's answer
    kOver,       // released
  };

  // The policies outlive it.
  Tunnel(const TunnelPolicy& policy, const TurnPolicy& turn, TimePoint now);
  Tunnel(const TunnelPolicy&& policy, const TurnPolicy& turn, TimePoint now) = delete;

  // The upstream answered 101. Any other answer is UpstreamGone(kUpstreamRefused), told once it is
  // relayed.
  void UpstreamReady(TimePoint now);

  // The client's leg ended or was ended for `cause`. `code`: of its Close frame; kNone: it had no
  // status, kAbnormal: there was none. Ignored once the client is gone, also by kEndClient.
  void ClientGone(CloseCause cause, CloseCode code, TimePoint now);

  // A client's message goes to the upstream / a whole message came from it. See Turn. Ignored where
  // it cannot matter any more, so that a draining leg may go on telling.
  void ClientMessage(TimePoint now);
  // The client ends in the middle of the message that began last; call before ClientGone.
  void ClientMessageCut(TimePoint now);
  void UpstreamMessage(bool matched, TimePoint now);

  // The guard has stopped (resumed) reading the upstream, for a client that does not read.
  void UpstreamPaused(TimePoint now) { turn_.Freeze(now); }
  void UpstreamResumed(TimePoint now) { turn_.Thaw(now); }

  // The upstream sent a Close frame.
  void UpstreamClose(TimePoint now);

  // The upstream broke a rule (kUpstreamProtocol, kUpstreamTooBig): it is told so by a Close.
  // Before its 101 it is reset.
  void UpstreamFault(CloseCause cause, TimePoint now);

  // The upstream's socket is gone, or there never was one (`cause`: kUpstreamClosed when a closing
  // handshake was complete, kUpstreamUnreachable when there never was a session to wait for).
  void UpstreamGone(CloseCause cause, TimePoint now);

  // The barrier was answered, or cannot be: the backend is not there.
  void BarrierPassed(TimePoint now);

  // Applies the time-outs that are due.
  void Tick(TimePoint now);

  std::optional<TunnelEffect> PollEffect() { return effects_.Poll(); }
  TimePoint NextTimeout() const;

  State state() const { return state_; }
  const Turn& turn() const { return turn_; }
  bool client_gone() const { return client_gone_; }
  // Why this tunnel ended: the first cause that was told. Meaningless while nothing has ended.
  CloseCause cause() const { return cause_.value_or(CloseCause::kClientClosed); }
  // True when a shielded turn was given up because it lasted longer than turn.max.
  bool overdue() const { return overdue_; }

 private:
  enum class Event : std::uint8_t;
  enum class Action : std::uint8_t;
  struct Table;

  Event ClientGoneEvent() const;
  Event TimeoutEvent() const;
  CloseCode UpstreamCode(CloseCause cause, CloseCode code) const;
  void EndUpstream(CloseCause cause, Event event, TimePoint now);
  void Apply(Event event, TimePoint now);
  void Run(Action action);
  void Enter(State next, TimePoint now);
  void Advance(TimePoint now);
  void NoteCause(CloseCause cause);

  const TunnelPolicy& policy_;
  Turn turn_;
  State state_ = State::kDialing;
  bool client_gone_ = false;
  bool overdue_ = false;
  CloseCode upstream_code_ = CloseCode::kNormal;        // for kCloseUpstream
  std::optional<CloseCause> cause_;                     // the first
  CloseCause end_cause_ = CloseCause::kUpstreamClosed;  // for kEndClient
  TimePoint ready_at_ = TimePoint::min();               // the upstream's 101
  TimePoint deadline_;                                  // of the state
  EffectQueue<TunnelEffect, 8> effects_;
};

}  // namespace connguard
