// What the metrics page says of turns, of fences and of how clients were told goodbye.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;

class MetricsTest : public GuardTest {
 protected:
  static std::string Outcome(std::string_view word) {
    return "outcome=\"" + std::string(word) + "\"";
  }
  void ExpectTurns(std::string_view outcome, double count) {
    guard().AwaitMetric("connguard_turns_total", Outcome(outcome), count);
    EXPECT_EQ(guard().Metric("connguard_turn_duration_seconds_count", Outcome(outcome)), count);
  }
  double Seconds(std::string_view outcome) {
    return guard().Metric("connguard_turn_duration_seconds_sum", Outcome(outcome));
  }
  void ExpectFences(std::string_view outcome, double count) {
    guard().AwaitMetric("connguard_fence_outcomes_total", Outcome(outcome), count);
  }
  // All of `cause`, and those of them that have this class.
  void ExpectCloses(const std::string& cause, std::string_view by, const std::string& code_class,
                    double count) {
    guard().AwaitMetric(
        "connguard_closes_total",
        "cause=\"" + cause + "\",by=\"" + std::string(by) + "\",code_class=\"" + code_class + "\"",
        count);
  }
};

TEST_F(MetricsTest, ATurnLastsFromItsFirstByteToItsAnswer) {
  StartGuard();
  Ends ends = Open();
  const Stopwatch whole;
  ends.client.SendText("ask");
  EXPECT_EQ(ends.origin.ReadText(), "ask");
  guard().AwaitMetric("connguard_turns_in_flight", "", 1);
  const Stopwatch inner;
  EXPECT_TRUE(ends.client.Silent(150ms));
  const auto least = inner.elapsed();
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  ExpectTurns("delivered", 1);
  guard().AwaitMetric("connguard_turns_in_flight", "", 0);
  EXPECT_GE(Seconds("delivered"), static_cast<double>(least.count()) / 1e3 - 0.002);
  EXPECT_LE(Seconds("delivered"), static_cast<double>(whole.elapsed().count()) / 1e3 + 0.002);
  ends.client.SendClose(1000);
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  ExpectClosedWith(ends.origin, 1000);
  ExpectCloses("client_closed", "client", "1000", 1);
  ExpectTurns("delivered", 1);
  EXPECT_EQ(guard().Metric("connguard_turns_total"), 1);
}

TEST_F(MetricsTest, AnAnswerThatComesWithTheUpstreamsCloseIsDelivered) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.origin.Send(ends.origin.MakeFrame({.opcode = 1}, "answer") +
                   ends.origin.MakeFrame({.opcode = 8}, CloseBody(3007, "enough")));
  EXPECT_EQ(ends.client.ReadText(), "answer");
  EXPECT_EQ(ends.client.ReadClose(), 3007);
  ends.client.SendClose(3007);
  ExpectFin(ends.client);
  EXPECT_EQ(ends.origin.ReadClose(), 3007);
  ends.origin.Close();
  ExpectTurns("delivered", 1);
  ExpectCloses("upstream_closed", "upstream", "3xxx", 1);
}

TEST_F(MetricsTest, ATurnWhoseClientWentIsOrphanedWhenItEnds) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  EXPECT_EQ(guard().Metric("connguard_turns_in_flight"), 1);
  EXPECT_TRUE(ends.origin.Silent(120ms));
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
  ExpectTurns("orphaned", 1);
  EXPECT_GE(Seconds("orphaned"), 0.118);
  ExpectCloses("client_reset", "client", "none", 1);
}

TEST_F(MetricsTest, ATurnWhoseUpstreamDiesIsAborted) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.SendText("and another one");
  EXPECT_EQ(ends.origin.ReadText(), "and another one");
  ends.origin.Reset();
  EXPECT_EQ(ends.client.ReadClose(), 1011);
  ends.client.SendClose(1011);
  ExpectTurns("aborted", 2);
  guard().AwaitMetric("connguard_turns_in_flight", "", 0);
  ExpectCloses("upstream_reset", "upstream", "1xxx", 1);
}

// Not only when its session is: nothing is in flight while that settles.
TEST_F(MetricsTest, ATurnWhoseUpstreamDiesIsOverAtOnce) {
  StartGuard({.upstream = origin_.url(), .session = "key: \"{path.user}\", settle: 2s"});
  Ends ends = OpenInTurn();
  ends.origin.Reset();
  ExpectTurns("aborted", 1);
  EXPECT_EQ(guard().Metric("connguard_turns_in_flight"), 0);
  guard().AwaitTunnels("closing", 1);
}

TEST_F(MetricsTest, ATurnThatLastsLongerThanMaxIsOverdueAlsoWithItsClient) {
  StartGuard({.turn = "{end: each-answer, max: 300ms, linger: 0}"});
  Ends ends = OpenInTurn();
  ExpectTurns("overdue", 1);
  EXPECT_NEAR(Seconds("overdue"), 0.3, 0.001);  // its time, and not when it was noticed
  guard().AwaitMetric("connguard_turns_in_flight", "", 0);
  ends.client.SendText("is anybody there?");
  EXPECT_EQ(ends.origin.ReadText(), "is anybody there?");
  ends.origin.SendText("yes");
  EXPECT_EQ(ends.client.ReadText(), "yes");
  ExpectTurns("delivered", 1);
  ends.client.SendClose(0);
  ExpectClosedWith(ends.origin, 0);
  ExpectCloses("client_closed", "client", "none", 1);
}

TEST_F(MetricsTest, SilenceEndsATurnWithoutAnotherEvent) {
  StartGuard({.turn = "{end: quiet, quiet: 200ms, linger: 0}"});
  Ends ends = OpenInTurn();
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  ExpectTurns("delivered", 1);
  EXPECT_GE(Seconds("delivered"), 0.199);
  ends.client.SendClose(1001);
  ExpectClosedWith(ends.origin, 1001);
  ExpectCloses("client_closed", "client", "1001", 1);
}

TEST_F(MetricsTest, OutcomesOfATakeover) {
  StartGuard();
  Ends first = OpenInTurn();
  ExpectFences("granted", 1);
  TestClient leaver = Connect("/ws/ann");
  EXPECT_EQ(first.client.ReadClose(), 4409);
  first.client.SendClose(4409);
  ExpectFences("evicted", 1);
  EXPECT_EQ(guard().Metric("connguard_fence_takeovers_total"), 1);
  TestClient older = Connect("/ws/ann");
  leaver.ExpectStatus(409);
  ExpectFences("superseded", 1);
  older.Reset();
  ExpectFences("abandoned", 1);
  TestClient next = Connect("/ws/ann");
  EXPECT_TRUE(next.Silent());
  ExpectFences("granted_after_wait", 0);
  first.origin.SendText("answer");
  ExpectClosedWith(first.origin, 1001);
  OriginLeg fresh = origin_.Accept();
  fresh.Upgrade();
  next.ExpectStatus(101);
  ExpectFences("granted_after_wait", 1);
  ExpectFences("granted", 1);
  ExpectCloses("superseded", "guard", "4xxx", 1);
}

TEST_F(MetricsTest, AHandshakeThatWaitsTooLongHasAbandonedItsKey) {
  StartGuard({.session = "key: \"{path.user}\", settle: 0, close_timeout: 2s, wait: 100ms"});
  Ends ends = OpenInTurn();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient late = Connect("/ws/ann");
  late.ExpectStatus(503);
  ExpectFences("abandoned", 1);
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(MetricsTest, OutcomesOfAConflict) {
  StartGuard(
      {.session = "key: \"{path.user}\", settle: 0, close_timeout: 2s, on_conflict: reject"});
  Ends ends = Open();
  TestClient second = Connect("/ws/ann");
  const WireFrame ping = ends.client.ReadFrame();
  EXPECT_EQ(ping.opcode(), 9);
  ends.client.SendPong(ping.payload);
  second.ExpectStatus(409);
  ExpectFences("conflict", 1);
  ExpectFences("granted", 1);
  ExpectFences("evicted", 0);
}

TEST_F(MetricsTest, TheLagOfTheLoopIsMeasuredWhereATimerIsDue) {
  StartGuard({.turn = "{end: quiet, quiet: 20ms, linger: 0}"});
  Ends ends = OpenInTurn();
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  ExpectTurns("delivered", 1);
  EXPECT_GE(guard().Metric("connguard_event_loop_lag_seconds_count"), 1);
  EXPECT_LT(guard().Metric("connguard_event_loop_lag_seconds_sum"), 20);
}

}  // namespace
}  // namespace connguard::testing
