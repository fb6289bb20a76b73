// A tunnel, its policies and its effects, in words.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

#include "connguard/tunnel.h"

namespace connguard {

inline void PrintTo(const TunnelEffect& effect, std::ostream* out) {
  constexpr const char* kWords[] = {"CloseUpstream", "ReplyUpstream", "ResetUpstream", "EndClient",
                                    "Dropped",       "Barrier",       "Release"};
  *out << kWords[static_cast<int>(effect.kind)] << "(" << static_cast<int>(effect.code) << ", "
       << Describe(effect.cause).word << ")";
}

class TunnelTest : public testing::Test {
 protected:
  using Effects = std::vector<TunnelEffect>;
  using Kind = TunnelEffect::Kind;
  using State = Tunnel::State;

  static constexpr TunnelEffect kReply{Kind::kReplyUpstream};
  static constexpr TunnelEffect kReset{Kind::kResetUpstream};
  static constexpr TunnelEffect kDropped{Kind::kDropped};
  static constexpr TunnelEffect kBarrier{Kind::kBarrier};
  static constexpr TunnelEffect kRelease{Kind::kRelease};
  static TunnelEffect CloseUpstream(CloseCode code) { return {Kind::kCloseUpstream, code}; }
  static TunnelEffect EndClient(CloseCause cause) {
    return {Kind::kEndClient, CloseCode::kNone, cause};
  }

  // One client's message, finished by a matched answer; settle 100 ms, linger 50 ms, no barrier.
  TunnelTest() { Restart(); }

  void Restart() { tunnel_.emplace(policy_, turn_, now_); }

  void Open() {
    Restart();
    tunnel_->UpstreamReady(now_);
    now_ += std::chrono::seconds{1};
  }
  void OpenBusy() {
    Open();
    tunnel_->ClientMessage(now_);
  }

  Effects Drain() {
    Effects effects;
    while (const auto effect = tunnel_->PollEffect()) effects.push_back(*effect);
    return effects;
  }
  Effects Advance(Millis by) {
    now_ += by;
    tunnel_->Tick(now_);
    return Drain();
  }
  Effects Ready() {
    tunnel_->UpstreamReady(now_);
    return Drain();
  }
  Effects ClientGone(CloseCause cause, CloseCode code = CloseCode::kAbnormal) {
    tunnel_->ClientGone(cause, code, now_);
    return Drain();
  }
  Effects ClientCloses(CloseCode code) { return ClientGone(CloseCause::kClientClosed, code); }
  Effects Answer(bool final) {
    tunnel_->UpstreamMessage(final, now_);
    return Drain();
  }
  Effects UpstreamCloses() {
    tunnel_->UpstreamClose(now_);
    return Drain();
  }
  Effects UpstreamGone(CloseCause cause) {
    tunnel_->UpstreamGone(cause, now_);
    return Drain();
  }
  Effects UpstreamFault(CloseCause cause) {
    tunnel_->UpstreamFault(cause, now_);
    return Drain();
  }

  TimePoint now_{std::chrono::hours{1}};
  TunnelPolicy policy_{.on_drop = OnDrop::kFinish,
                       .linger = Millis{50},
                       .handshake_timeout = Millis{30'000},
                       .close_timeout = Millis{5'000},
                       .settle = Millis{100},
                       .barrier = false};
  TurnPolicy turn_{.end = TurnEnd::kMatch, .quiet = Millis{0}, .max = Millis{60'000}, .window = 0};
  std::optional<Tunnel> tunnel_;
};

}  // namespace connguard
