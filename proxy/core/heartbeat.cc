// Pings a silent leg and tells when it is dead.
#include "connguard/heartbeat.h"

#include <algorithm>

namespace connguard {

Heartbeat::Heartbeat(const HeartbeatPolicy& policy, TimePoint now)
    : policy_(policy), heard_at_(now) {}

void Heartbeat::Probe(Millis timeout, TimePoint now) {
  if (state_ == State::kDead) return;
  Ping(timeout, now);
}

void Heartbeat::Ping(Millis timeout, TimePoint now) {
  const bool unanswered = state_ == State::kWaiting && !heard_since_ping_;
  const TimePoint deadline = (frozen() ? frozen_at_ : now) + timeout;
  deadline_ = unanswered ? std::min(deadline_, deadline) : deadline;
  state_ = State::kWaiting;
  heard_since_ping_ = false;
  effects_.Push(HeartbeatEffect::kPing);
}

void Heartbeat::Freeze(TimePoint now) {
  if (!frozen()) frozen_at_ = now;
}

void Heartbeat::Thaw(TimePoint now) {
  if (!frozen()) return;
  const auto pause = now - frozen_at_;
  frozen_at_ = kNever;
  heard_at_ = std::min(heard_at_ + pause, now);
  if (state_ == State::kWaiting) deadline_ += pause;
}

void Heartbeat::Tick(TimePoint now) {
  if (frozen() || state_ == State::kDead) return;
  if (state_ == State::kWaiting && heard_since_ping_) state_ = State::kQuiet;
  if (NextTimeout() > now) return;
  if (state_ == State::kWaiting) {
    state_ = State::kDead;
    effects_.Push(HeartbeatEffect::kDead);
  } else {
    Ping(policy_.timeout, now);
  }
}

TimePoint Heartbeat::NextTimeout() const {
  if (frozen() || state_ == State::kDead) return kNever;
  if (state_ == State::kWaiting && !heard_since_ping_) return deadline_;
  return policy_.interval > Millis{0} ? heard_at_ + policy_.interval : kNever;
}

}  // namespace connguard
