// Turn: what is in flight, and when it ended.
#include "connguard/turn.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

constexpr TurnPolicy kMatch{.end = TurnEnd::kMatch, .quiet = 0ms, .max = 60s, .window = 0};
constexpr TurnPolicy kQuiet{.end = TurnEnd::kQuiet, .quiet = 2s, .max = 60s, .window = 0};
constexpr TurnPolicy kEachAnswer{
    .end = TurnEnd::kEachAnswer, .quiet = 0ms, .max = 60s, .window = 0};

class TurnTest : public testing::Test {
 protected:
  void Advance(Turn& turn, Millis by) {
    now_ += by;
    turn.Tick(now_);
  }
  TimePoint now_ = kStart;
};

TEST_F(TurnTest, NothingIsInFlightAtFirst) {
  const Turn turn{kMatch};
  EXPECT_TRUE(turn.idle());
  EXPECT_TRUE(turn.open());
  EXPECT_EQ(turn.ended_at(), TimePoint::min());
  EXPECT_EQ(turn.NextTimeout(), kNever);
}

TEST_F(TurnTest, OnlyTheFinalMessageEndsAMatchedTurn) {
  Turn turn{kMatch};
  turn.Begin(now_);
  now_ += 1s;
  turn.Answer(false, now_);
  EXPECT_FALSE(turn.idle());
  now_ += 1s;
  turn.Answer(true, now_);
  EXPECT_TRUE(turn.idle());
  EXPECT_EQ(turn.ended_at(), kStart + 2s);
  EXPECT_FALSE(turn.overdue());
}

TEST_F(TurnTest, ThreeMessagesNeedThreeFinalMessages) {
  Turn turn{kMatch};
  for (int i = 0; i < 3; ++i) turn.Begin(now_);
  turn.Answer(true, now_);
  turn.Answer(true, now_);
  EXPECT_EQ(turn.in_flight(), 1U);
  turn.Answer(true, now_);
  EXPECT_TRUE(turn.idle());
}

TEST_F(TurnTest, AMessageThatIsCutIsNoTurn) {
  Turn turn{kMatch};
  turn.Begin(now_);
  turn.Begin(now_);
  turn.Withdraw(now_);
  EXPECT_EQ(turn.in_flight(), 1U);
  turn.Answer(true, now_);
  EXPECT_TRUE(turn.idle());
  turn.Withdraw(now_);
  EXPECT_EQ(turn.in_flight(), 0U);
}

TEST_F(TurnTest, SilenceOfAnUpstreamThatIsNotReadEndsNothing) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Answer(false, now_);
  Advance(turn, 1s);
  turn.Freeze(now_);
  Advance(turn, 30s);
  EXPECT_FALSE(turn.idle());
  turn.Thaw(now_);
  EXPECT_EQ(turn.NextTimeout(), now_ + 1s);
  Advance(turn, 1s);
  EXPECT_TRUE(turn.idle());
  EXPECT_FALSE(turn.overdue());
}

TEST_F(TurnTest, AnUpstreamThatIsNotReadIsStillGivenUpAfterMax) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Answer(false, now_);
  turn.Freeze(now_);
  Advance(turn, 60s);
  EXPECT_TRUE(turn.idle());
  EXPECT_TRUE(turn.overdue());
}

TEST_F(TurnTest, EachAnswerEndsOneTurn) {
  Turn turn{kEachAnswer};
  turn.Begin(now_);
  turn.Begin(now_);
  turn.Answer(false, now_);
  EXPECT_EQ(turn.in_flight(), 1U);
  turn.Answer(false, now_);
  EXPECT_TRUE(turn.idle());
}

TEST_F(TurnTest, AMessageThatNobodyAskedForEndsNothing) {
  Turn turn{kEachAnswer};
  turn.Answer(false, now_);
  EXPECT_EQ(turn.ended_at(), TimePoint::min());
  turn.Begin(now_);
  EXPECT_EQ(turn.in_flight(), 1U);
}

TEST_F(TurnTest, SilenceBeforeTheFirstTokenIsNotTheEnd) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  Advance(turn, 30s);
  EXPECT_FALSE(turn.idle());
}

TEST_F(TurnTest, SilenceAfterTheLastMessageEndsAllTurns) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Begin(now_);
  Advance(turn, 1s);
  turn.Answer(false, now_);
  Advance(turn, 1999ms);
  EXPECT_EQ(turn.in_flight(), 2U);
  EXPECT_EQ(turn.NextTimeout(), now_ + 1ms);
  Advance(turn, 1ms);
  EXPECT_TRUE(turn.idle());
  EXPECT_FALSE(turn.overdue());
  EXPECT_EQ(turn.NextTimeout(), kNever);
}

TEST_F(TurnTest, WhereOnlySilenceEndsTurnsAMatchEndsNothing) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Answer(true, now_);
  EXPECT_FALSE(turn.idle());
}

TEST_F(TurnTest, EveryMessagePutsTheSilenceOff) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  for (int i = 0; i < 10; ++i) {
    turn.Answer(false, now_);
    Advance(turn, 1999ms);
  }
  EXPECT_FALSE(turn.idle());
}

TEST_F(TurnTest, ANewRequestWaitsForItsOwnFirstMessage) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Answer(false, now_);
  Advance(turn, 1s);
  turn.Begin(now_);
  Advance(turn, 30s);
  EXPECT_FALSE(turn.idle());
  turn.Answer(false, now_);
  Advance(turn, 2s);
  EXPECT_TRUE(turn.idle());
}

TEST_F(TurnTest, ATurnEndedByTimeEndedThenHoweverLateTheCall) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Answer(false, now_);
  Advance(turn, 50s);
  EXPECT_EQ(turn.ended_at(), kStart + 2s);
}

TEST_F(TurnTest, QuietIsASafetyForALostFinalMessage) {
  TurnPolicy policy = kMatch;
  policy.quiet = 2s;
  Turn turn{policy};
  turn.Begin(now_);
  turn.Answer(false, now_);
  Advance(turn, 2s);
  EXPECT_TRUE(turn.idle());
}

TEST_F(TurnTest, AFinalMessageDoesNotStartTheSilenceOfTheNextTurn) {
  TurnPolicy policy = kMatch;
  policy.quiet = 2s;
  Turn turn{policy};
  turn.Begin(now_);
  turn.Begin(now_);
  turn.Answer(false, now_);
  turn.Answer(true, now_);
  Advance(turn, 30s);
  EXPECT_EQ(turn.in_flight(), 1U);
}

TEST_F(TurnTest, ATurnThatLastsTooLongIsGivenUpWithThoseBehindIt) {
  Turn turn{kMatch};
  turn.Begin(now_);
  Advance(turn, 1s);
  turn.Begin(now_);
  EXPECT_EQ(turn.NextTimeout(), kStart + 60s);
  Advance(turn, 58999ms);
  EXPECT_FALSE(turn.idle());
  Advance(turn, 1ms);
  EXPECT_TRUE(turn.idle());
  EXPECT_TRUE(turn.overdue());
  EXPECT_EQ(turn.ended_at(), kStart + 60s);
  turn.Begin(now_);
  EXPECT_FALSE(turn.overdue());
}

TEST_F(TurnTest, MaxCountsFromTheEndOfTheTurnBefore) {
  Turn turn{kMatch};
  turn.Begin(now_);
  turn.Begin(now_);
  Advance(turn, 40s);
  turn.Answer(true, now_);
  EXPECT_EQ(turn.NextTimeout(), kStart + 100s);
}

TEST_F(TurnTest, WhereOnlySilenceEndsTurnsMaxCountsFromTheNewestRequest) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  Advance(turn, 40s);
  turn.Begin(now_);
  EXPECT_EQ(turn.NextTimeout(), kStart + 100s);
}

TEST_F(TurnTest, WithoutMaxATurnMayLastForEver) {
  TurnPolicy policy = kMatch;
  policy.max = 0ms;
  Turn turn{policy};
  turn.Begin(now_);
  EXPECT_EQ(turn.NextTimeout(), kNever);
  Advance(turn, 10h);
  EXPECT_FALSE(turn.idle());
}

TEST_F(TurnTest, TheWindowClosesWhenItIsFullAndOpensWithAnAnswer) {
  TurnPolicy policy = kMatch;
  policy.window = 2;
  Turn turn{policy};
  turn.Begin(now_);
  EXPECT_TRUE(turn.open());
  turn.Begin(now_);
  EXPECT_FALSE(turn.open());
  turn.Answer(true, now_);
  EXPECT_TRUE(turn.open());
}

TEST_F(TurnTest, WhatEndedIsCountedByHow) {
  Turn turn{kMatch};
  turn.Begin(now_);
  turn.Begin(now_);
  turn.Begin(now_);
  now_ += 1s;
  turn.Answer(true, now_);
  EXPECT_EQ(turn.finished(), 1U);
  EXPECT_EQ(turn.ended_at(), now_);
  turn.Withdraw(now_);
  EXPECT_EQ(turn.finished(), 1U);
  Advance(turn, 60s);
  EXPECT_EQ(turn.finished(), 1U);
  EXPECT_EQ(turn.given_up(), 1U);
  turn.Answer(true, now_);  // of nothing
  EXPECT_EQ(turn.finished(), 1U);
}

TEST_F(TurnTest, SilenceFinishesTurns) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Begin(now_);
  turn.Answer(false, now_);
  now_ += 10s;
  turn.Begin(now_);
  EXPECT_EQ(turn.finished(), 2U);
  EXPECT_EQ(turn.given_up(), 0U);
}

TEST_F(TurnTest, AnOldTimeoutIsAppliedBeforeANewRequest) {
  Turn turn{kQuiet};
  turn.Begin(now_);
  turn.Answer(false, now_);
  now_ += 5s;
  turn.Begin(now_);
  EXPECT_EQ(turn.in_flight(), 1U);
}

}  // namespace
}  // namespace connguard
