// Reload: the new configuration for whoever comes, the old one for whoever is here.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

class ReloadTest : public GuardTest {
 protected:
  static GuardSetup With(const std::string& session) {
    return {.session = "key: \"{path.user}\", settle: 0, close_timeout: 2s, " + session};
  }

  static void ExpectATurn(Ends& ends) {
    ends.client.SendText("ask");
    EXPECT_EQ(ends.origin.ReadText(), "ask");
    ends.origin.SendText("answer");
    EXPECT_EQ(ends.client.ReadText(), "answer");
  }

  // A client that waits for its handshake gets it from this origin, and leaves.
  static void ExpectServedBy(TestOrigin& origin, TestClient& client) {
    OriginLeg leg = origin.Accept();
    leg.Upgrade();
    client.ExpectStatus(101);
    client.Reset();
    ExpectClosedWith(leg, 1001);
  }

  // Both ends of a plain connection that has carried a request, and is kept.
  Ends OpenKept() {
    TestClient client = guard().Connect();
    client.Send("GET /a HTTP/1.1\r\nHost: guard\r\n\r\n");
    OriginLeg leg = origin_.Accept();
    leg.ReadRequest();
    leg.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client.ExpectStatus(200);
    return {std::move(client), std::move(leg)};
  }

  void Reload(GuardSetup setup, std::string_view event = "reloaded") {
    if (setup.upstream.empty()) setup.upstream = origin_.url();
    guard().Rewrite(setup);
    guard().Signal(SIGHUP);
    guard().AwaitLog(event);
  }
};

TEST_F(ReloadTest, WhoeverIsHereKeepsWhatHeWasBornWith) {
  StartGuard(With("on_drop: finish"));
  Ends before = OpenInTurn("/ws/ann");
  Reload(With("on_drop: close"));
  Ends after = OpenInTurn("/ws/bob");

  before.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  EXPECT_TRUE(before.origin.Silent());
  before.origin.SendText("answer");
  ExpectClosedWith(before.origin, 1001);

  after.client.Reset();
  ExpectClosedWith(after.origin, 1001);
}

TEST_F(ReloadTest, ATunnelGoesOnWhenItsRouteAndItsUpstreamAreGone) {
  StartGuard();
  Ends ends = Open("/ws/ann");
  TestOrigin other;
  Reload({.upstream = other.url(), .upstream_more = "keepalive: {connections: 0}"});
  ExpectATurn(ends);

  TestClient next = Connect("/ws/bob");
  ExpectServedBy(other, next);
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
}

// The key is the same, and so is its fence: a new configuration must not let two upstreams live.
TEST_F(ReloadTest, FencesOutliveIt) {
  StartGuard();
  Ends old = OpenInTurn("/ws/ann");
  old.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  Reload(With("wait: 30s"));
  TestClient next = Connect("/ws/ann");
  EXPECT_TRUE(origin_.NobodyComes());
  old.origin.SendText("answer");
  ExpectClosedWith(old.origin, 1001);
  ExpectServedBy(origin_, next);
}

TEST_F(ReloadTest, TheNextRequestOfAKeptConnectionGoesByTheNewOne) {
  StartGuard();
  auto [client, leg] = OpenKept();
  Reload({.rest_path = "/only"});
  client.Send("GET /a HTTP/1.1\r\nHost: guard\r\n\r\n");
  client.ExpectStatus(404);
}

TEST_F(ReloadTest, IdleConnectionsToAnUpstreamThatIsGoneAreClosed) {
  StartGuard();
  auto [client, leg] = OpenKept();
  guard().AwaitMetric("connguard_upstream_idle_connections", "", 1);
  Reload(With("wait: 60s"), "reload_unchanged");
  guard().AwaitMetric("connguard_upstream_idle_connections", "", 1);
  TestOrigin other;
  Reload({.upstream = other.url()});
  EXPECT_EQ(leg.ReadToEnd(), "");
  guard().AwaitMetric("connguard_upstream_idle_connections", "", 0);
}

TEST_F(ReloadTest, ABadFileChangesNothing) {
  StartGuard();
  Ends ends = Open("/ws/ann");
  Reload(With("setle: 50ms"), "reload_rejected");
  EXPECT_NE(guard().log().find("unknown key 'setle'; did you mean 'settle'?"), std::string::npos);
  EXPECT_NE(guard().log().find(":9:"), std::string::npos) << "the line is named";
  ExpectATurn(ends);
  Ends others = Open("/ws/bob");
  for (Ends* one : {&ends, &others}) {
    one->client.Reset();
    ExpectClosedWith(one->origin, 1001);
  }
}

TEST_F(ReloadTest, AFileThatIsGoneChangesNothing) {
  StartGuard();
  guard().RemoveFile();
  guard().Signal(SIGHUP);
  guard().AwaitLog("reload_rejected");
  Ends ends = Open("/ws/ann");
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(ReloadTest, WhatNeedsARestartIsSaidAndTheRestApplied) {
  StartGuard();
  GuardSetup setup = With("on_conflict: reject");
  setup.workers = 3;
  Reload(setup);
  EXPECT_NE(guard().log().find("workers: 1 -> 3"), std::string::npos);
  EXPECT_EQ(guard().Metric("connguard_workers"), 1);
  Ends ends = Open("/ws/ann");
  TestClient second = Connect("/ws/ann");
  EXPECT_EQ(ends.client.ReadFrame().opcode(), 9);  // the probe
  ends.client.Send(ends.client.MakeFrame({.opcode = 10}, "x"));
  second.ExpectStatus(409);
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(ReloadTest, CountersOfARouteGoOnAndARouteThatIsGoneKeepsItsOwn) {
  StartGuard();
  const auto accepted = [this](std::string_view route) {
    return guard().Metric("connguard_handshakes_total",
                          "result=\"accepted\",route=\"" + std::string(route) + "\"") +
           guard().Metric("connguard_handshakes_total",
                          "route=\"" + std::string(route) + "\",result=\"accepted\"");
  };
  for (int i = 0; i < 2; ++i) {
    Ends ends = Open("/ws/ann");
    ends.client.Reset();
    ExpectClosedWith(ends.origin, 1001);
    if (i == 0) Reload(With("wait: 7s"));
  }
  EXPECT_EQ(accepted("chat"), 2);
  EXPECT_EQ(accepted("rest"), 0);
}

TEST_F(ReloadTest, ManyInARowLeaveNothingBehind) {
  StartGuard({.upstream = origin_.url(), .workers = 2});
  Ends ends = Open("/ws/ann");
  for (int i = 0; i < 50; ++i) Reload(With(i % 2 == 0 ? "wait: 7s" : "wait: 8s"));
  ExpectATurn(ends);
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
}

}  // namespace
}  // namespace connguard::testing
