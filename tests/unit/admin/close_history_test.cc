// The last hour of ends, minute by minute, on a clock of the test's own.
#include "admin/close_history.h"

#include <gtest/gtest.h>

#include <numeric>

namespace connguard {
namespace {

using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;

class CloseHistoryTest : public testing::Test {
 protected:
  void Add(std::uint64_t count) { totals_[static_cast<std::size_t>(kCause)] += count; }
  void SampleAfter(std::chrono::seconds time) {
    now_ += time;
    history_.Sample(now_, totals_);
  }
  std::uint64_t MinutesAgo(std::size_t minutes) const {
    return history_.Of(kCause)[CloseHistory::kMinutes - 1 - minutes];
  }
  std::uint64_t Sum() const {
    const auto counts = history_.Of(kCause);
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }

  static constexpr CloseCause kCause = CloseCause::kClientLost;
  CloseHistory::Time now_{1000h + 10s};
  CloseHistory history_{now_};
  CloseHistory::Totals totals_{};
};

TEST_F(CloseHistoryTest, WhatIsAddedBelongsToTheMinuteOfItsSample) {
  Add(2);
  SampleAfter(5s);
  Add(3);
  SampleAfter(5s);
  EXPECT_EQ(MinutesAgo(0), 5U);
  SampleAfter(40s);
  EXPECT_EQ(MinutesAgo(0), 0U) << "the next minute";
  EXPECT_EQ(MinutesAgo(1), 5U);
  Add(1);
  SampleAfter(2min);
  EXPECT_EQ(MinutesAgo(0), 1U);
  EXPECT_EQ(MinutesAgo(3), 5U);
}

TEST_F(CloseHistoryTest, TheMinuteIsOfTheWallClock) {
  EXPECT_EQ(history_.minute(), CloseHistory::Time(1000h));
  SampleAfter(61s);
  EXPECT_EQ(history_.minute(), CloseHistory::Time(1000h + 1min));
}

TEST_F(CloseHistoryTest, CausesAreApart) {
  Add(2);
  SampleAfter(1s);
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    const auto cause = static_cast<CloseCause>(i);
    EXPECT_EQ(history_.Of(cause).back(), cause == kCause ? 2U : 0U);
  }
}

TEST_F(CloseHistoryTest, AfterAnHourItIsForgotten) {
  Add(2);
  SampleAfter(1s);
  for (int i = 0; i < 59; ++i) SampleAfter(1min);
  EXPECT_EQ(MinutesAgo(59), 2U);
  SampleAfter(1min);
  EXPECT_EQ(Sum(), 0U);
}

TEST_F(CloseHistoryTest, ALongSleepForgetsAll) {
  Add(2);
  SampleAfter(1s);
  Add(4);
  SampleAfter(100h);
  EXPECT_EQ(MinutesAgo(0), 4U);
  EXPECT_EQ(Sum(), 4U);
}

TEST_F(CloseHistoryTest, AClockThatGoesBackLosesNothing) {
  SampleAfter(2min);
  Add(2);
  SampleAfter(-90s);
  EXPECT_EQ(MinutesAgo(0), 2U);
  EXPECT_EQ(history_.minute(), CloseHistory::Time(1000h + 2min));
  Add(1);
  SampleAfter(100s);
  EXPECT_EQ(MinutesAgo(0), 3U) << "the same minute again";
}

}  // namespace
}  // namespace connguard
