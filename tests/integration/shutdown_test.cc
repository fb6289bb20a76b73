// SIGTERM: whoever comes, waits, idles or is in mid-turn.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class ShutdownTest : public GuardTest {
 protected:
  void StartWith(const std::string& shutdown, int workers = 1) {
    StartGuard({.upstream = origin_.url(), .shutdown = shutdown, .workers = workers});
  }

  // One of each kind that no drain ends by itself.
  struct Left {
    Ends turn;
    Ends shielded;
    TestClient http;
    OriginLeg stream;
  };

  Left OpenAll() {
    Ends turn = OpenInTurn("/ws/ann");
    Ends shielded = OpenInTurn("/ws/bob");
    shielded.client.Reset();
    guard().AwaitTunnels("shielded", 1);
    TestClient http = guard().Connect();
    http.Send("GET /stream HTTP/1.1\r\nHost: guard\r\n\r\n");
    OriginLeg stream = origin_.Accept();
    stream.ReadRequest();
    stream.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    http.ExpectStatus(200);
    http.ReadThrough("a\r\n");
    return {std::move(turn), std::move(shielded), std::move(http), std::move(stream)};
  }

  // Each has its last words, and the log a line for each tunnel; nobody answers them.
  void ExpectCut(Left& left) {
    EXPECT_EQ(left.turn.client.ReadClose(), 1012);
    EXPECT_EQ(left.turn.origin.ReadClose(), 1001);
    EXPECT_EQ(left.shielded.origin.ReadClose(), 1001);
    PeerEnd end = PeerEnd::kFin;
    left.http.ReadToEnd(&end);
    EXPECT_EQ(end, PeerEnd::kReset);
    EXPECT_EQ(guard().AwaitExit(), 0);
    guard().AwaitLog("tunnel_closed");
    guard().AwaitLog("tunnel_closed");
  }

  bool Refused() {
    try {
      guard().Connect();
      return false;
    } catch (const std::system_error&) {
      return true;
    }
  }
};

TEST_F(ShutdownTest, WithNothingOpenItEndsAtOnce) {
  for (const int signal : {SIGTERM, SIGINT}) {
    StartWith("{drain: 60s}", 2);
    const Stopwatch since;
    guard().Signal(signal);
    EXPECT_EQ(guard().AwaitExit(), 0);
    EXPECT_LT(since.elapsed(), 10s);
  }
}

TEST_F(ShutdownTest, AnIdleClientIsToldServiceRestart) {
  StartWith("{drain: 60s}");
  Ends ends = Open();
  guard().Signal(SIGTERM);
  EXPECT_EQ(ends.client.ReadClose(), 1012);
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_TRUE(Eventually([this] { return Refused(); }));
  ends.client.SendClose(1012);
  ExpectFin(ends.client);
  ends.client.Close();
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, WhoHasNotBeenAcceptedYetGetsAnAnswer) {
  StartWith("{drain: 60s}", 2);
  origin_.Close();
  guard().Signal(SIGSTOP);
  std::vector<TestClient> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(guard().Connect());
    clients.back().SendHandshake("/ws/user" + std::to_string(i));
  }
  guard().Signal(SIGTERM);
  guard().Signal(SIGCONT);
  for (TestClient& client : clients) {
    EXPECT_GE(client.ReadAnswer().status, 502);
    client.Close();
  }
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, WhoSaysNothingHoldsUpTheEndForAMomentOnly) {
  StartWith("{drain: 60s}");
  TestClient silent = guard().Connect();
  guard().AwaitMetric("connguard_connections", "", 1);
  const Stopwatch since;
  guard().Signal(SIGTERM);
  EXPECT_EQ(guard().AwaitExit(), 0);
  EXPECT_LT(since.elapsed(), 10s);
}

TEST_F(ShutdownTest, ATurnInFlightIsFinished) {
  StartWith("{drain: 60s}");
  Ends ends = OpenInTurn();
  guard().Signal(SIGTERM);
  EXPECT_TRUE(Eventually([this] { return Refused(); }));
  EXPECT_TRUE(ends.origin.Silent());
  EXPECT_TRUE(ends.client.Silent());
  AnswerAndEnd(ends);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

// What the client has asked meanwhile, and what waits for the window, is answered as well.
TEST_F(ShutdownTest, AllThatIsAskedIsAnsweredFirst) {
  StartGuard({.upstream = origin_.url(),
              .turn = "{end: each-answer, linger: 0, window: 1}",
              .shutdown = "{drain: 60s}"});
  Ends ends = OpenInTurn();
  ends.client.SendText("second");
  guard().Signal(SIGTERM);
  EXPECT_TRUE(Eventually([this] { return Refused(); }));
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  EXPECT_EQ(ends.origin.ReadText(), "second");
  ends.origin.SendText("another");
  EXPECT_EQ(ends.client.ReadText(), "another");
  EXPECT_EQ(ends.client.ReadClose(), 1012);
  ends.client.Close();
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, SilenceThatEndsATurnEndsItsClientToo) {
  StartGuard({.upstream = origin_.url(),
              .turn = "{end: quiet, quiet: 300ms, linger: 0}",
              .shutdown = "{drain: 60s}"});
  Ends ends = OpenInTurn();
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  guard().Signal(SIGTERM);
  EXPECT_EQ(ends.client.ReadClose(), 1012);
  ends.client.Close();
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, ClientsAreEndedOneAfterTheOther) {
  StartWith("{drain: 60s}");
  std::vector<Ends> all;
  for (int i = 0; i < 20; ++i) all.push_back(Open("/ws/" + std::to_string(i)));
  const Stopwatch since;
  guard().Signal(SIGTERM);
  for (Ends& ends : all) EXPECT_EQ(ends.client.ReadClose(), 1012);
  EXPECT_GE(since.elapsed(), 190ms);  // nineteen times ten, the pace
  for (Ends& ends : all) {
    ends.client.Close();
    ExpectClosedWith(ends.origin, 1001);
  }
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, AWaitingClientIsRefusedWith503) {
  StartWith("{drain: 60s}", 4);
  Ends ends = OpenInTurn();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient waiting = Connect("/ws/ann");
  EXPECT_TRUE(waiting.Silent());
  guard().Signal(SIGTERM);
  EXPECT_FALSE(waiting.ExpectStatus(503).Value("Retry-After").empty());
  waiting.Close();
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, AHandshakeUnderWayIsRefusedAndItsUpstreamFinished) {
  StartWith("{drain: 60s}");
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  guard().Signal(SIGTERM);
  client.ExpectStatus(503);
  client.Close();
  origin.Send(OriginLeg::Upgraded());
  ExpectClosedWith(origin, 1000);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ShutdownTest, WhatIsLeftAfterTheDrainTimeIsCutAndToldSo) {
  StartWith("{drain: 500ms}");
  Left left = OpenAll();
  const Stopwatch since;
  guard().Signal(SIGTERM);
  ExpectCut(left);
  EXPECT_GE(since.elapsed(), 499ms);
  EXPECT_LT(since.elapsed(), 10s);
}

TEST_F(ShutdownTest, ASecondSignalIsTheEndOfTheDrain) {
  StartWith("{drain: 60s}");
  Left left = OpenAll();
  const Stopwatch since;
  guard().Signal(SIGTERM);
  EXPECT_TRUE(Eventually([this] { return Refused(); }));
  EXPECT_TRUE(left.turn.client.Silent());
  guard().Signal(SIGTERM);
  ExpectCut(left);
  EXPECT_LT(since.elapsed(), 10s);
}

TEST_F(ShutdownTest, ASecondSignalIsTheEndOfTheDelayToo) {
  StartWith("{delay: 60s, drain: 60s}", 2);
  Left left = OpenAll();
  const Stopwatch since;
  guard().Signal(SIGTERM);
  guard().AwaitLog("stopping");
  guard().Signal(SIGINT);
  ExpectCut(left);
  EXPECT_LT(since.elapsed(), 10s);
}

TEST_F(ShutdownTest, DelayComesFirst) {
  StartWith("{delay: 700ms, drain: 60s}");
  Ends ends = Open();
  const Stopwatch since;
  guard().Signal(SIGTERM);
  EXPECT_EQ(ends.client.ReadClose(), 1012);
  EXPECT_GE(since.elapsed(), 699ms);
  ends.client.Close();
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

}  // namespace
}  // namespace connguard::testing
