// How often sessions ended for which cause, minute by minute, for the last hour.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "connguard/close_cause.h"

namespace connguard {

// Pure: no clock. Made when all counters are zero.
class CloseHistory {
 public:
  static constexpr std::size_t kMinutes = 60;
  using Time = std::chrono::system_clock::time_point;
  using Totals = std::array<std::uint64_t, kCloseCauses>;

  explicit CloseHistory(Time now) : minute_(MinuteOf(now)) {}

  // `totals`: counters since the process started. What was added since the last sample belongs to
  // the minute of `now`; a clock that goes back stays in the minute that it has reached.
  void Sample(Time now, const Totals& totals);

  // Oldest first; the last one is not over yet.
  std::array<std::uint64_t, kMinutes> Of(CloseCause cause) const;
  // When the last one began.
  Time minute() const { return Time(minute_); }

 private:
  using Minute = std::chrono::time_point<std::chrono::system_clock, std::chrono::minutes>;
  static Minute MinuteOf(Time time) { return std::chrono::floor<std::chrono::minutes>(time); }

  Minute minute_;
  std::size_t now_ = 0;  // the place of `minute_` in the rings
  std::array<std::array<std::uint64_t, kMinutes>, kCloseCauses> rings_{};
  Totals seen_{};
};

}  // namespace connguard
