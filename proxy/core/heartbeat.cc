// Pings a silent leg and tells when it is dead.
#include "connguard/heartbeat.h"

#include <algorithm>

namespace connguard {

namespace {

Millis Spread(Millis interval, std::uint32_t spread) {
  constexpr std::uint32_t kSteps = 1024;
  return interval - interval * (spread % kSteps) / kSteps / 8;
}

}  // namespace

Heartbeat::Heartbeat(const HeartbeatPolicy& policy, TimePoint now, std::uint32_t spread)
    : interval_(Spread(policy.interval, spread)),
      timeout_(policy.timeout),
      heard_at_(now),
      pinged_at_(now) {}

std::optional<std::chrono::nanoseconds> Heartbeat::Answered(std::uint32_t number, TimePoint now) {
  if (!ping_out_ || number != ping_) return std::nullopt;
  ping_out_ = false;
  return now - pinged_at_;
}

void Heartbeat::Excuse(TimePoint now) {
  if (state_ != State::kDead) return;
  state_ = State::kQuiet;
  heard_at_ = now;
}

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
  ++ping_;
  ping_out_ = true;
  pinged_at_ = now;
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
    Ping(timeout_, now);
  }
}

TimePoint Heartbeat::NextTimeout() const {
  if (frozen() || state_ == State::kDead) return kNever;
  if (state_ == State::kWaiting && !heard_since_ping_) return deadline_;
  return interval_ > Millis{0} ? heard_at_ + interval_ : kNever;
}

}  // namespace connguard
