// Heartbeat: pings into silence, and what silence proves.
#include "connguard/heartbeat.h"

#include <gtest/gtest.h>

#include <vector>

namespace connguard {
namespace {

using namespace std::chrono_literals;
using Effects = std::vector<HeartbeatEffect>;

constexpr auto kPing = HeartbeatEffect::kPing;
constexpr auto kDead = HeartbeatEffect::kDead;

class HeartbeatTest : public testing::Test {
 protected:
  Effects Advance(Millis by) {
    now_ += by;
    heartbeat_.Tick(now_);
    return Drain();
  }
  Effects Drain() {
    Effects effects;
    while (const auto effect = heartbeat_.PollEffect()) effects.push_back(*effect);
    return effects;
  }
  void Heard() { heartbeat_.Heard(now_); }

  TimePoint now_{1h};
  Heartbeat heartbeat_{{.interval = 20s, .timeout = 10s}, now_};
};

TEST_F(HeartbeatTest, ASilentLegIsPingedThenDead) {
  EXPECT_EQ(Advance(19'999ms), Effects{});
  EXPECT_EQ(heartbeat_.NextTimeout(), now_ + 1ms);
  EXPECT_EQ(Advance(1ms), Effects{kPing});
  EXPECT_EQ(heartbeat_.NextTimeout(), now_ + 10s);
  EXPECT_EQ(Advance(9'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kDead});
  EXPECT_EQ(heartbeat_.NextTimeout(), kNever);
  EXPECT_EQ(Advance(1h), Effects{});
}

TEST_F(HeartbeatTest, AnyByteIsASignOfLife) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  Heard();
  EXPECT_EQ(Advance(10s), Effects{});
  EXPECT_EQ(Advance(10s), Effects{kPing});
}

TEST_F(HeartbeatTest, ABusyLegIsNotPinged) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Advance(19s), Effects{});
    Heard();
  }
}

TEST_F(HeartbeatTest, AnAnsweredPingIsFollowedByTheNextAfterTheIntervalAlone) {
  heartbeat_ = Heartbeat({.interval = 1s, .timeout = 10s}, now_);
  EXPECT_EQ(Advance(1s), Effects{kPing});
  Heard();
  EXPECT_EQ(heartbeat_.NextTimeout(), now_ + 1s);
  EXPECT_EQ(Advance(1s), Effects{kPing});
}

TEST_F(HeartbeatTest, AnAnswerInTheSameInstantCounts) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  Heard();
  EXPECT_EQ(Advance(10s), Effects{});
}

TEST_F(HeartbeatTest, BytesFromBeforeThePingAreNoAnswerToIt) {
  Heard();
  EXPECT_EQ(Advance(20s), Effects{kPing});
  EXPECT_EQ(Advance(10s), Effects{kDead});
}

TEST_F(HeartbeatTest, AProbePingsAtOnceAndHasItsOwnDeadline) {
  heartbeat_.Probe(2s, now_);
  EXPECT_EQ(Drain(), Effects{kPing});
  EXPECT_EQ(heartbeat_.NextTimeout(), now_ + 2s);
  EXPECT_EQ(Advance(2s), Effects{kDead});
}

TEST_F(HeartbeatTest, AnAnsweredProbeGoesBackToTheSchedule) {
  heartbeat_.Probe(2s, now_);
  EXPECT_EQ(Drain(), Effects{kPing});
  now_ += 1s;
  Heard();
  EXPECT_EQ(Advance(1s), Effects{});
  EXPECT_EQ(heartbeat_.NextTimeout(), now_ + 19s);
}

TEST_F(HeartbeatTest, AProbeDoesNotPutAnEarlierDeadlineOff) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  EXPECT_EQ(Advance(9s), Effects{});
  heartbeat_.Probe(2s, now_);
  EXPECT_EQ(Drain(), Effects{kPing});
  EXPECT_EQ(Advance(1s), Effects{kDead});
}

TEST_F(HeartbeatTest, AProbeAfterAnAnswerHasItsWholeTime) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  Heard();
  now_ += 9s;
  heartbeat_.Probe(2s, now_);
  EXPECT_EQ(Drain(), Effects{kPing});
  EXPECT_EQ(Advance(1'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kDead});
}

TEST_F(HeartbeatTest, SilenceOfALegThatIsNotReadProvesNothing) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  EXPECT_EQ(Advance(4s), Effects{});
  heartbeat_.Freeze(now_);
  EXPECT_EQ(heartbeat_.NextTimeout(), kNever);
  EXPECT_EQ(Advance(1h), Effects{});
  heartbeat_.Thaw(now_);
  EXPECT_EQ(heartbeat_.NextTimeout(), now_ + 6s);
  EXPECT_EQ(Advance(5'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kDead});
}

TEST_F(HeartbeatTest, AFrozenLegIsNotPinged) {
  EXPECT_EQ(Advance(15s), Effects{});
  heartbeat_.Freeze(now_);
  EXPECT_EQ(Advance(1h), Effects{});
  heartbeat_.Thaw(now_);
  EXPECT_EQ(Advance(4'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kPing});
}

TEST_F(HeartbeatTest, AProbeOfAFrozenLegHasItsWholeTimeAfterwards) {
  heartbeat_.Freeze(now_);
  now_ += 5s;
  heartbeat_.Probe(2s, now_);
  EXPECT_EQ(Drain(), Effects{kPing});
  EXPECT_EQ(Advance(5s), Effects{});
  heartbeat_.Thaw(now_);
  EXPECT_EQ(Advance(1'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kDead});
}

TEST_F(HeartbeatTest, WithoutAnIntervalOnlyProbesPing) {
  Heartbeat heartbeat{{.interval = 0ms, .timeout = 10s}, now_};
  EXPECT_EQ(heartbeat.NextTimeout(), kNever);
  heartbeat.Tick(now_ + 10h);
  EXPECT_EQ(heartbeat.PollEffect(), std::nullopt);
  heartbeat.Probe(2s, now_ + 10h);
  EXPECT_EQ(heartbeat.PollEffect(), kPing);
  heartbeat.Heard(now_ + 10h + 1s);
  heartbeat.Tick(now_ + 10h + 2s);
  EXPECT_EQ(heartbeat.PollEffect(), std::nullopt);
  EXPECT_EQ(heartbeat.NextTimeout(), kNever);
}

TEST_F(HeartbeatTest, LegsThatCameAtOnceArePingedApart) {
  const auto first_ping = [this](std::uint32_t spread) {
    return Heartbeat({.interval = 16s, .timeout = 10s}, now_, spread).NextTimeout() - now_;
  };
  EXPECT_EQ(first_ping(0), 16s);
  EXPECT_EQ(first_ping(512), 15s);
  EXPECT_GE(first_ping(1023), 14s);  // never more than an eighth
  EXPECT_EQ(first_ping(1024), 16s);
}

TEST_F(HeartbeatTest, TheAnswerToAPingTellsHowLongItTook) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  const std::uint32_t number = heartbeat_.ping();
  EXPECT_EQ(heartbeat_.Answered(number + 1, now_), std::nullopt);
  EXPECT_EQ(heartbeat_.Answered(number, now_ + 30ms), 30ms);
  EXPECT_EQ(heartbeat_.Answered(number, now_ + 40ms), std::nullopt);  // once
}

TEST_F(HeartbeatTest, ALateAnswerIsNotTakenForTheNextPings) {
  EXPECT_EQ(Advance(20s), Effects{kPing});
  const std::uint32_t first = heartbeat_.ping();
  Heard();
  EXPECT_EQ(Advance(20s), Effects{kPing});
  EXPECT_EQ(heartbeat_.Answered(first, now_ + 1ms), std::nullopt);
  EXPECT_EQ(heartbeat_.Answered(heartbeat_.ping(), now_ + 2ms), 2ms);
}

TEST_F(HeartbeatTest, AnExcusedLegIsPingedAgainAfterTheInterval) {
  Advance(20s);
  EXPECT_EQ(Advance(10s), Effects{kDead});
  heartbeat_.Excuse(now_);
  EXPECT_EQ(Advance(19'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kPing});
  EXPECT_EQ(Advance(10s), Effects{kDead});
}

}  // namespace
}  // namespace connguard
