// What the metrics say of one tunnel's turns.
#include "app/turn_times.h"

namespace connguard {

void TurnTimes::Follow(const Turn& turn, bool client_gone, TimePoint now, RouteMetrics& metrics) {
  if (over_) return;
  const bool gone_now = client_gone && client_gone_at_ == kNever;
  const bool changed = turn.finished() != finished_ || turn.given_up() != given_up_ ||
                       turn.in_flight() != in_flight();
  if (!changed && !gone_now) return;
  const std::uint32_t before = in_flight();
  // An upstream may answer and close at once: the client that is gone by that got its answer. And
  // silence may have ended a turn before the client went, but is noticed only now.
  const bool orphaned = turn.ended_at() >= client_gone_at_;
  End(orphaned ? TurnOutcome::kOrphaned : TurnOutcome::kDelivered, turn.finished() - finished_,
      turn.ended_at(), metrics);
  End(TurnOutcome::kOverdue, turn.given_up() - given_up_, turn.ended_at(), metrics);
  finished_ = turn.finished();
  given_up_ = turn.given_up();
  if (gone_now) client_gone_at_ = now;
  while (in_flight() > turn.in_flight()) Withdraw();
  while (in_flight() < turn.in_flight()) Begin(now);
  metrics.turns_in_flight.Add(std::int64_t{in_flight()} - before);
}

void TurnTimes::Abort(TimePoint now, RouteMetrics& metrics) {
  if (over_) return;
  over_ = true;
  metrics.turns_in_flight.Sub(in_flight());
  End(TurnOutcome::kAborted, in_flight(), now, metrics);
}

void TurnTimes::End(TurnOutcome outcome, std::uint32_t count, TimePoint at, RouteMetrics& metrics) {
  if (count == 0) return;
  metrics.turns[outcome].Add(count);
  for (; count > 0; --count) {
    if (timed_ > 0) {
      metrics.turn_duration[outcome].Observe(at - began_[oldest_]);
      oldest_ = static_cast<std::uint8_t>((oldest_ + 1U) % kTimed);
      --timed_;
    } else if (untimed_ > 0) {
      --untimed_;
    } else {
      metrics.turn_duration[outcome].Observe({});  // it began since Follow looked last
    }
  }
}

void TurnTimes::Begin(TimePoint now) {
  if (timed_ == kTimed || untimed_ > 0) {
    ++untimed_;
  } else {
    began_[(oldest_ + timed_++) % kTimed] = now;
  }
}

void TurnTimes::Withdraw() {
  if (untimed_ > 0) {
    --untimed_;
  } else {
    --timed_;
  }
}

}  // namespace connguard
