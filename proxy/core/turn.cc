// Counts the turns in flight.
#include "connguard/turn.h"

#include <algorithm>

namespace connguard {

void Turn::Begin(TimePoint now) {
  Tick(now);
  overdue_ = false;
  // Where only silence ends turns, nothing tells which of them is being worked on: the newest has
  // the whole time.
  if (idle() || policy_->end == TurnEnd::kQuiet) since_ = now;
  ++in_flight_;
  quiet_at_ = kNever;
}

void Turn::Withdraw(TimePoint now) {
  Tick(now);
  if (!idle() && --in_flight_ == 0) EndAll(now, false);
}

void Turn::Answer(bool matched, TimePoint now) {
  Tick(now);
  if (idle()) return;
  const bool final =
      policy_->end == TurnEnd::kEachAnswer || (policy_->end == TurnEnd::kMatch && matched);
  if (!final) {
    if (policy_->quiet > Millis{0}) quiet_at_ = now + policy_->quiet;
    return;
  }
  // The next turn has said nothing yet, and a slow first token looks like silence.
  quiet_at_ = kNever;
  since_ = now;
  ended_at_ = now;
  ++finished_;
  if (--in_flight_ == 0) EndAll(now, false);
}

void Turn::Tick(TimePoint now) {
  const TimePoint due = NextTimeout();
  if (due > now) return;
  EndAll(due, QuietAt() > due);
}

void Turn::Freeze(TimePoint now) {
  Tick(now);
  if (frozen_at_ == kNever) frozen_at_ = now;
}

void Turn::Thaw(TimePoint now) {
  if (frozen_at_ == kNever) return;
  if (quiet_at_ != kNever) quiet_at_ += now - frozen_at_;
  frozen_at_ = kNever;
}

TimePoint Turn::NextTimeout() const {
  if (idle()) return kNever;
  return std::min(QuietAt(), MaxAt());
}

TimePoint Turn::MaxAt() const { return policy_->max > Millis{0} ? since_ + policy_->max : kNever; }

void Turn::EndAll(TimePoint at, bool overdue) {
  (overdue ? given_up_ : finished_) += in_flight_;
  in_flight_ = 0;
  overdue_ = overdue;
  quiet_at_ = kNever;
  ended_at_ = at;
}

}  // namespace connguard
