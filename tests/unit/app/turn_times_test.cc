// TurnTimes beside the real Turn: what is counted, and for how long.
#include "app/turn_times.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

class TurnTimesTest : public testing::Test {
 protected:
  void Use(const TurnPolicy& policy) {
    policy_ = policy;
    turn_ = Turn(policy_);
  }
  void Begin() {
    turn_.Begin(now_);
    Follow();
  }
  void Answer() {
    turn_.Answer(true, now_);
    Follow();
  }
  void Follow() { times_.Follow(turn_, client_gone_, now_, metrics_); }
  void Tick() {
    turn_.Tick(now_);
    Follow();
  }

  std::uint64_t Turns(TurnOutcome outcome) const { return metrics_.turns[outcome].value(); }
  Millis Total(TurnOutcome outcome) const {
    return std::chrono::duration_cast<Millis>(
        std::chrono::nanoseconds(metrics_.turn_duration[outcome].sum_ns()));
  }
  std::uint64_t Timed(TurnOutcome outcome) const {
    const auto& histogram = metrics_.turn_duration[outcome];
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < histogram.kBuckets; ++i) sum += histogram.count(i);
    return sum;
  }
  std::int64_t InFlight() const { return metrics_.turns_in_flight.value(); }

  TurnPolicy policy_{.end = TurnEnd::kEachAnswer, .quiet = 0ms, .max = 60s, .window = 0};
  Turn turn_{policy_};
  TurnTimes times_;
  RouteMetrics metrics_;
  TimePoint now_ = kStart;
  bool client_gone_ = false;
};

TEST_F(TurnTimesTest, AnAnswerEndsTheOldestTurn) {
  Begin();
  now_ += 100ms;
  Begin();
  EXPECT_EQ(InFlight(), 2);
  now_ += 200ms;
  Answer();
  EXPECT_EQ(InFlight(), 1);
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 300ms);
  now_ += 400ms;
  Answer();
  EXPECT_EQ(InFlight(), 0);
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 300ms + 600ms);
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 2U);
  EXPECT_EQ(Timed(TurnOutcome::kDelivered), 2U);
}

TEST_F(TurnTimesTest, ATurnThatEndsAfterItsClientIsOrphaned) {
  Begin();
  client_gone_ = true;
  Follow();
  now_ += 5s;
  Answer();
  EXPECT_EQ(Turns(TurnOutcome::kOrphaned), 1U);
  EXPECT_EQ(Total(TurnOutcome::kOrphaned), 5s);
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 0U);
}

TEST_F(TurnTimesTest, AnAnswerWithTheUpstreamsCloseBehindItIsDelivered) {
  Begin();
  now_ += 1s;
  turn_.Answer(true, now_);
  client_gone_ = true;  // the Close came with the answer
  Follow();
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 1U);
}

TEST_F(TurnTimesTest, SilenceEndedATurnWhenItWasOverAndNotWhenItWasNoticed) {
  Use({.end = TurnEnd::kQuiet, .quiet = 2s, .max = 60s, .window = 0});
  Begin();
  now_ += 1s;
  turn_.Answer(false, now_);
  now_ += 10s;
  client_gone_ = true;
  Tick();
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 1U);
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 3s);
  EXPECT_EQ(InFlight(), 0);
}

TEST_F(TurnTimesTest, ATurnThatEndsBySilenceWhenTheNextOneBeginsCounts) {
  Use({.end = TurnEnd::kQuiet, .quiet = 2s, .max = 60s, .window = 0});
  Begin();
  turn_.Answer(false, now_);
  now_ += 10s;
  Begin();
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 1U);
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 2s);
  EXPECT_EQ(InFlight(), 1);
  now_ += 1s;
  turn_.Answer(false, now_);
  now_ += 2s;
  Tick();
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 2s + 3s);
}

TEST_F(TurnTimesTest, WhatLastsLongerThanMaxIsOverdue) {
  Begin();
  Begin();
  now_ += 61s;
  Tick();
  EXPECT_EQ(Turns(TurnOutcome::kOverdue), 2U);
  EXPECT_EQ(Total(TurnOutcome::kOverdue), 120s);
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 0U);
  EXPECT_EQ(InFlight(), 0);
}

TEST_F(TurnTimesTest, AMessageThatIsCutIsNoTurn) {
  Begin();
  now_ += 1s;
  Begin();
  turn_.Withdraw(now_);
  Follow();
  EXPECT_EQ(InFlight(), 1);
  now_ += 1s;
  Answer();
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 2s);  // the older one's
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 1U);
}

TEST_F(TurnTimesTest, WhatIsInFlightWhenTheUpstreamEndsIsAborted) {
  Begin();
  Begin();
  now_ += 3s;
  times_.Abort(now_, metrics_);
  EXPECT_EQ(Turns(TurnOutcome::kAborted), 2U);
  EXPECT_EQ(Total(TurnOutcome::kAborted), 6s);
  EXPECT_EQ(InFlight(), 0);
  times_.Abort(now_, metrics_);
  now_ += 100s;
  Tick();
  EXPECT_EQ(Turns(TurnOutcome::kAborted), 2U);
  EXPECT_EQ(Turns(TurnOutcome::kOverdue), 0U);
  EXPECT_EQ(InFlight(), 0);
}

TEST_F(TurnTimesTest, ATurnWithinOneCallbackTookNoTime) {
  turn_.Begin(now_);
  Answer();
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), 1U);
  EXPECT_EQ(Timed(TurnOutcome::kDelivered), 1U);
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 0ms);
  EXPECT_EQ(InFlight(), 0);
}

TEST_F(TurnTimesTest, AFloodIsCountedWholeAndTimedInPart) {
  constexpr std::uint64_t kFlood = 1'000;
  for (std::uint64_t i = 0; i < kFlood; ++i) Begin();
  EXPECT_EQ(InFlight(), kFlood);
  now_ += 1s;
  for (std::size_t i = 0; i < TurnTimes::kTimed; ++i) Answer();
  EXPECT_EQ(Total(TurnOutcome::kDelivered), TurnTimes::kTimed * 1s);
  now_ += 1s;
  Begin();  // behind those that are not timed: neither is it
  for (std::uint64_t i = TurnTimes::kTimed; i < kFlood + 1; ++i) Answer();
  EXPECT_EQ(InFlight(), 0);
  EXPECT_EQ(Turns(TurnOutcome::kDelivered), kFlood + 1);
  EXPECT_EQ(Timed(TurnOutcome::kDelivered), TurnTimes::kTimed);
  Begin();
  now_ += 500ms;
  Answer();
  EXPECT_EQ(Total(TurnOutcome::kDelivered), TurnTimes::kTimed * 1s + 500ms);
}

TEST_F(TurnTimesTest, MoreTurnsThanTheRingHoldsOneAfterTheOther) {
  Begin();
  for (int i = 0; i < 50; ++i) {
    now_ += 10ms;
    Begin();
    now_ += 10ms;
    Answer();
  }
  EXPECT_EQ(Timed(TurnOutcome::kDelivered), 50U);
  EXPECT_EQ(Total(TurnOutcome::kDelivered), 20ms + 49 * 30ms);
}

}  // namespace
}  // namespace connguard
