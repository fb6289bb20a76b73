// TurnTimes: what the metrics say of one tunnel's turns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "admin/metrics.h"
#include "connguard/turn.h"
#include "connguard/types.h"

namespace connguard {

// Learns from Turn's own counts how many began and ended since it looked last, and keeps when the
// oldest of them began: they end in that order. Look after every callback: what happened within one
// happened at one time.
//
// Owned by one tunnel; not thread-safe.
class TurnTimes {
 public:
  // Turns in flight that are timed. A client may send thousands of messages at once; those behind
  // are counted, and new ones are timed again when these are through.
  static constexpr std::size_t kTimed = 4;

  void Follow(const Turn& turn, bool client_gone, TimePoint now, RouteMetrics& metrics);

  // The upstream ends: whatever is in flight has no end of its own, and nothing counts any more.
  void Abort(TimePoint now, RouteMetrics& metrics);

 private:
  void End(TurnOutcome outcome, std::uint32_t count, TimePoint at, RouteMetrics& metrics);
  void Begin(TimePoint now);
  void Withdraw();
  std::uint32_t in_flight() const { return timed_ + untimed_; }

  std::array<TimePoint, kTimed> began_{};  // a ring
  TimePoint client_gone_at_ = kNever;
  std::uint32_t untimed_ = 0;   // younger than those in the ring
  std::uint32_t finished_ = 0;  // as Turn counts them
  std::uint32_t given_up_ = 0;
  std::uint8_t oldest_ = 0;
  std::uint8_t timed_ = 0;
  bool over_ = false;
};

}  // namespace connguard
