// One live upstream session per key, whoever comes at whatever moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class FenceTest : public GuardTest {
 protected:
  void StartWith(const std::string& session, int workers = 1) {
    StartGuard({.upstream = origin_.url(),
                .session = "key: \"{path.user}\", settle: 0, close_timeout: 15s" + session,
                .workers = workers});
  }

  // The client's handshake is answered by a fresh upstream session, which works.
  void ExpectServed(TestClient& client) {
    OriginLeg origin = origin_.Accept();
    origin.Upgrade();
    client.ExpectStatus(101);
    client.SendText("fresh?");
    EXPECT_EQ(origin.ReadText(), "fresh?");
    origin.SendText("fresh");
    EXPECT_EQ(client.ReadText(), "fresh");
  }

  // An upstream in mid-turn whose client is gone.
  OriginLeg Shielded(std::string_view target = "/ws/ann") {
    Ends ends = OpenInTurn(target);
    ends.client.Reset();
    guard().AwaitTunnels("shielded", 1);
    return std::move(ends.origin);
  }

  void AwaitHandshakes(std::string_view result, double value) {
    guard().AwaitMetric("connguard_handshakes_total", "result=\"" + std::string(result) + "\"",
                        value);
  }
};

TEST_F(FenceTest, AReconnectIsHeldUntilTheOldUpstreamIsOver) {
  StartWith("");
  OriginLeg old = Shielded();
  TestClient client = Connect("/ws/ann");
  EXPECT_TRUE(client.Silent());
  old.SendText("answer");
  EXPECT_EQ(old.ReadClose(), 1001);
  EXPECT_TRUE(origin_.NobodyComes());
  old.SendClose(1001);
  ExpectFin(old);
  // The Close frames are exchanged, but the upstream's socket is still there.
  EXPECT_TRUE(origin_.NobodyComes());
  EXPECT_TRUE(client.Silent());
  old.Close();
  ExpectServed(client);
}

TEST_F(FenceTest, TheKeyIsFreeOnlyAfterSettle) {
  StartGuard({.upstream = origin_.url(),
              .session = "key: \"{path.user}\", settle: 400ms, close_timeout: 15s"});
  Ends ends = Open();
  ends.client.SendClose(1000);
  const Stopwatch since;
  ExpectClosedWith(ends.origin, 1000);
  TestClient client = Connect("/ws/ann");
  ExpectServed(client);
  EXPECT_GE(since.elapsed(), 399ms);
}

TEST_F(FenceTest, TakeoverEndsTheOldClientWith4409AndHoldsTheNewOne) {
  StartWith("");
  Ends old = Open();
  TestClient client = Connect("/ws/ann");
  EXPECT_EQ(old.client.ReadClose(), 4409);
  old.client.SendClose(4409);
  ExpectFin(old.client);
  EXPECT_TRUE(client.Silent());
  EXPECT_TRUE(origin_.NobodyComes());
  ExpectClosedWith(old.origin, 1001);
  ExpectServed(client);
  EXPECT_EQ(guard().Metric("connguard_fence_takeovers_total"), 1);
}

TEST_F(FenceTest, TakeoverInMidTurnWaitsForTheTurn) {
  StartWith("");
  Ends old = OpenInTurn();
  TestClient client = Connect("/ws/ann");
  EXPECT_EQ(old.client.ReadClose(), 4409);
  guard().AwaitTunnels("shielded", 1);
  EXPECT_TRUE(old.origin.Silent());
  old.origin.SendText("answer");
  ExpectClosedWith(old.origin, 1001);
  ExpectServed(client);
}

TEST_F(FenceTest, RacingReconnectsCostOneUpstreamSession) {
  StartWith("", 4);
  OriginLeg old = Shielded();
  constexpr std::size_t kRacers = 32;
  std::vector<TestClient> racers;
  for (std::size_t i = 0; i < kRacers; ++i) racers.push_back(Connect("/ws/ann"));
  AwaitHandshakes("superseded", kRacers - 1);
  old.SendText("answer");
  ExpectClosedWith(old, 1001);
  OriginLeg fresh = origin_.Accept();
  fresh.Upgrade();
  std::vector<int> answers;
  for (TestClient& racer : racers) answers.push_back(racer.ReadAnswer().status);
  EXPECT_EQ(std::ranges::count(answers, 409), kRacers - 1);
  EXPECT_EQ(std::ranges::count(answers, 101), 1);
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(FenceTest, AWaiterThatLeavesIsForgotten) {
  StartWith("");
  OriginLeg old = Shielded();
  TestClient leaver = Connect("/ws/ann");
  EXPECT_TRUE(leaver.Silent());
  leaver.Reset();
  AwaitHandshakes("client_left", 1);
  old.SendText("answer");
  ExpectClosedWith(old, 1001);
  guard().AwaitMetric("connguard_fence_keys", "", 0);
  EXPECT_TRUE(origin_.NobodyComes());
  TestClient next = Connect("/ws/ann");
  ExpectServed(next);
}

TEST_F(FenceTest, TheNextWaiterIsServedInsteadOfOneThatLeft) {
  StartWith("", 4);
  OriginLeg old = Shielded();
  TestClient leaver = Connect("/ws/ann");
  EXPECT_TRUE(leaver.Silent());
  leaver.Finish();
  AwaitHandshakes("client_left", 1);
  TestClient next = Connect("/ws/ann");
  EXPECT_TRUE(next.Silent());
  old.SendText("answer");
  ExpectClosedWith(old, 1001);
  ExpectServed(next);
}

TEST_F(FenceTest, AHandshakeIsHeldNoLongerThanWait) {
  StartWith(", wait: 300ms");
  OriginLeg old = Shielded();
  const Stopwatch since;
  TestClient client = Connect("/ws/ann");
  const Answer answer = client.ExpectStatus(503);
  EXPECT_GE(since.elapsed(), 299ms);
  EXPECT_FALSE(answer.Value("Retry-After").empty()) << answer.head;
  old.SendText("answer");
  ExpectClosedWith(old, 1001);
  TestClient next = Connect("/ws/ann");
  ExpectServed(next);
}

TEST_F(FenceTest, AClientThatLeavesBeforeTheUpstreamsAnswerLeavesNothing) {
  StartWith("");
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  client.Reset();
  AwaitHandshakes("client_left", 1);
  // The handshake is finished all the same: a backend's connect handler is not made to trip.
  EXPECT_TRUE(origin.Silent());
  TestClient next = Connect("/ws/ann");
  EXPECT_TRUE(next.Silent());
  origin.Send(OriginLeg::Upgraded());
  ExpectClosedWith(origin, 1000);
  ExpectServed(next);
}

TEST_F(FenceTest, AClientThatLeavesRightBehindTheAnswerLeavesNothing) {
  StartWith("");
  for (int i = 0; i < 20; ++i) {
    TestClient client = Connect("/ws/ann");
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(OriginLeg::Upgraded());
    client.Reset();
    // Whichever the guard saw first.
    const int code = origin.ReadClose();
    EXPECT_TRUE(code == 1000 || code == 1001) << code;
    origin.SendClose(code);
    ExpectFin(origin);
  }
}

TEST_F(FenceTest, ALiveClientMakesANewcomerBeRejected) {
  StartWith(", on_conflict: reject");
  Ends first = Open();
  TestClient newcomer = Connect("/ws/ann");
  const WireFrame ping = first.client.ReadFrame();
  EXPECT_EQ(ping.first, 0x89);
  EXPECT_TRUE(newcomer.Silent());  // not before the proof
  first.client.SendPong(ping.payload);
  newcomer.ExpectStatus(409);
  EXPECT_TRUE(origin_.NobodyComes());
  first.client.SendText("still here");
  EXPECT_EQ(first.origin.ReadText(), "still here");
}

TEST_F(FenceTest, AHalfOpenClientDoesNotLockItsOwnUserOut) {
  StartWith(", on_conflict: reject");
  Ends first = Open();
  const Stopwatch since;
  TestClient newcomer = Connect("/ws/ann");
  EXPECT_EQ(first.client.ReadFrame().first, 0x89);
  ExpectClosedWith(first.origin, 1001);
  EXPECT_GE(since.elapsed(), 1900ms);
  EXPECT_LT(since.elapsed(), 10s);
  ExpectServed(newcomer);
}

TEST_F(FenceTest, ShareLetsBothLive) {
  StartWith(", on_conflict: share");
  Ends first = Open();
  Ends second = Open();
  first.client.SendText("one");
  EXPECT_EQ(first.origin.ReadText(), "one");
  second.client.SendText("two");
  EXPECT_EQ(second.origin.ReadText(), "two");
}

TEST_F(FenceTest, KeysAreComparedDecoded) {
  StartWith("");
  Ends old = Open("/ws/us%65r");
  TestClient client = Connect("/ws/user");
  EXPECT_EQ(old.client.ReadClose(), 4409);
  ExpectClosedWith(old.origin, 1001);
  ExpectServed(client);
}

TEST_F(FenceTest, DifferentKeysDoNotWaitForEachOther) {
  StartWith("");
  OriginLeg old = Shielded("/ws/ann");
  TestClient client = Connect("/ws/bob");
  ExpectServed(client);
  TestClient unfenced = Connect("/elsewhere");
  ExpectServed(unfenced);
}

TEST_F(FenceTest, FourWorkersKeepEveryKeyApart) {
  StartWith("", 4);
  for (int round = 0; round < 3; ++round) {
    std::vector<Ends> ends;
    for (int key = 0; key < 16; ++key) ends.push_back(OpenInTurn("/ws/" + std::to_string(key)));
    std::vector<TestClient> again;
    for (int key = 0; key < 16; ++key) {
      ends[static_cast<std::size_t>(key)].client.Reset();
      again.push_back(Connect("/ws/" + std::to_string(key)));
    }
    guard().AwaitTunnels("shielded", 16);
    EXPECT_TRUE(origin_.NobodyComes());
    for (std::size_t key = 0; key < 16; ++key) {
      ends[key].origin.SendText("answer");
      ExpectClosedWith(ends[key].origin, 1001);
      ExpectServed(again[key]);
    }
    again.clear();
    guard().AwaitTunnels("closing", 0);
    guard().AwaitTunnels("open", 0);
  }
}

TEST_F(FenceTest, TheKeyIsFreeOnlyAfterTheBarriersAnswer) {
  StartWith(", barrier: {path: \"/barrier?x=1\"}");
  OriginLeg old = Shielded();
  TestClient client = Connect("/ws/ann");
  old.SendText("answer");
  ExpectClosedWith(old, 1001);
  OriginLeg barrier = origin_.Accept();
  EXPECT_TRUE(barrier.ReadRequest().starts_with("GET /barrier?x=1 HTTP/1.1\r\n"));
  EXPECT_TRUE(client.Silent());
  EXPECT_TRUE(origin_.NobodyComes());
  barrier.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  OriginLeg fresh = origin_.Accept();
  fresh.Upgrade();
  client.ExpectStatus(101);
  EXPECT_EQ(guard().Metric("connguard_barrier_timeouts_total"), 0);
}

TEST_F(FenceTest, ABarrierThatCannotConnectCountsAsPassed) {
  StartWith(", barrier: {path: /}");
  Ends ends = Open();
  origin_.Close();
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
  const Stopwatch since;
  guard().AwaitMetric("connguard_fence_keys", "", 0);
  EXPECT_LT(since.elapsed(), 5s);  // much less than close_timeout
}

}  // namespace
}  // namespace connguard::testing
