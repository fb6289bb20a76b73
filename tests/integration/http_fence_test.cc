// Plain requests that hold a session key (session.methods), and what outlives their clients.
#include <string>
#include <utility>

#include "plain_http.h"

namespace connguard::testing {
namespace {

constexpr std::string_view kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string Post(std::string_view user, std::string_view body = "ask") {
  return Request("POST /ask", "X-User: " + std::string(user) +
                                  "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") +
         std::string(body);
}

class HttpFenceTest : public PlainHttpTest {
 protected:
  void Start(const std::string& session = "settle: 0", const std::string& turn = "{linger: 0}") {
    StartGuard({.upstream = "",
                .turn = turn,
                .rest_session =
                    "key: \"{header.x-user}\", methods: [POST], close_timeout: 2s, " + session});
  }

  // A streamed answer under way: its first chunk has come to the client.
  Ends OpenStream(std::string_view user) {
    Ends ends = Ask(Post(user));
    EXPECT_EQ(ends.origin.Read(3), "ask");
    ends.origin.Send(kChunkedHead);
    ends.origin.Send("5\r\nfirst\r\n");
    ends.client.ExpectStatus(200);
    EXPECT_EQ(ends.client.Read(10), "5\r\nfirst\r\n");
    return ends;
  }

  void ExpectServed(TestClient& client) {
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(kEmptyAnswer);
    ExpectBytes(client, kEmptyAnswer);
  }
};

TEST_F(HttpFenceTest, AnswerIsReadToItsEndWhenTheClientLeaves) {
  Start();
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient next = Send(Post("ann"));
  EXPECT_TRUE(origin_.NobodyComes());
  origin.Send("6\r\nsecond\r\n");
  EXPECT_TRUE(origin.Silent());  // still read, not ended
  EXPECT_TRUE(origin_.NobodyComes());
  origin.Send("0\r\n\r\n");
  ExpectEnd(origin, PeerEnd::kFin);
  ExpectServed(next);
}

TEST_F(HttpFenceTest, AnswerThatHasNotBegunIsWaitedForToo) {
  Start();
  auto [client, origin] = Ask(Post("ann"));
  EXPECT_EQ(origin.Read(3), "ask");
  client.Close();
  guard().AwaitTunnels("shielded", 1);
  TestClient next = Send(Post("ann"));
  EXPECT_TRUE(origin_.NobodyComes());
  origin.Send(Answer200("late"));
  ExpectEnd(origin, PeerEnd::kFin);
  ExpectServed(next);
}

TEST_F(HttpFenceTest, MoreThanTheBufferIsReadForAClientThatHasGone) {
  Start();
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 64; ++i) origin.Send(chunk);
  origin.Send("0\r\n\r\n");
  ExpectEnd(origin, PeerEnd::kFin);
}

TEST_F(HttpFenceTest, OnDropCloseCancels) {
  Start("settle: 0, on_drop: close");
  auto [client, origin] = OpenStream("ann");
  client.Close();
  EXPECT_EQ(origin.ReadToEnd(), "");
  TestClient next = Send(Post("ann"));
  ExpectServed(next);
}

TEST_F(HttpFenceTest, RequestThatIsNotWholeIsCancelled) {
  Start();
  auto [client, origin] =
      Ask(Request("POST /ask", "X-User: ann\r\nContent-Length: 9\r\n") + "half");
  EXPECT_EQ(origin.Read(4), "half");
  client.Close();
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(HttpFenceTest, NewestClientTakesOver) {
  Start();
  auto [old, origin] = Ask(Post("ann"));
  EXPECT_EQ(origin.Read(3), "ask");
  TestClient next = Send(Post("ann"));
  old.ExpectStatus(409);
  EXPECT_TRUE(origin_.NobodyComes());  // the old answer comes first
  origin.Send(Answer200("old"));
  ExpectEnd(origin, PeerEnd::kFin);
  ExpectServed(next);
  // Each client is counted by what it was told.
  guard().AwaitMetric("connguard_http_requests_total", "class=\"4xx\"", 1);
  guard().AwaitMetric("connguard_http_requests_total", "class=\"2xx\"", 1);
}

TEST_F(HttpFenceTest, TakenOverInMidAnswerTheOldClientSeesItCut) {
  Start();
  auto [old, origin] = OpenStream("ann");
  TestClient next = Send(Post("ann"));
  ExpectEnd(old, PeerEnd::kReset);
  origin.Send("0\r\n\r\n");
  ExpectEnd(origin, PeerEnd::kFin);
  ExpectServed(next);
}

TEST_F(HttpFenceTest, RejectKeepsTheOldClient) {
  Start("settle: 0, on_conflict: reject");
  auto [old, origin] = OpenStream("ann");
  TestClient next = Send(Post("ann"));
  next.ExpectStatus(409);
  origin.Send("0\r\n\r\n");
  EXPECT_EQ(old.Read(5), "0\r\n\r\n");
}

TEST_F(HttpFenceTest, ShareServesBoth) {
  Start("settle: 0, on_conflict: share");
  auto [old, origin] = OpenStream("ann");
  TestClient next = Send(Post("ann"));
  ExpectServed(next);
  origin.Send("0\r\n\r\n");
  EXPECT_EQ(old.Read(5), "0\r\n\r\n");
}

TEST_F(HttpFenceTest, OtherKeysAndOtherMethodsDoNotWait) {
  Start();
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient bob = Send(Post("bob"));
  ExpectServed(bob);
  TestClient get = Send(Request("GET /", "X-User: ann\r\n"));
  ExpectServed(get);
  TestClient nobody = Send(Request("POST /", "Content-Length: 0\r\n"));
  ExpectServed(nobody);
  origin.Send("0\r\n\r\n");
  ExpectEnd(origin, PeerEnd::kFin);
}

TEST_F(HttpFenceTest, WholeAnswerFreesTheKeyAtOnce) {
  Start("settle: 60s");
  auto [client, origin] = Ask(Post("ann"));
  EXPECT_EQ(origin.Read(3), "ask");
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  client.Send(Post("ann"));
  origin.ReadRequest();  // on the same connection
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
}

TEST_F(HttpFenceTest, WaitsNoLongerThanItIsTold) {
  Start("settle: 0, wait: 100ms");
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient next = Send(Post("ann"));
  const Answer answer = next.ExpectStatus(503);
  EXPECT_EQ(answer.Value("Retry-After"), "5");
  origin.Send("0\r\n\r\n");
  ExpectEnd(origin, PeerEnd::kFin);
}

TEST_F(HttpFenceTest, WaiterThatLeavesIsForgotten) {
  Start();
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  {
    TestClient waiter = Send(Post("ann"));
    guard().AwaitMetric("connguard_connections", "", 1);
  }
  guard().AwaitMetric("connguard_connections", "", 0);
  origin.Send("0\r\n\r\n");
  ExpectEnd(origin, PeerEnd::kFin);
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(HttpFenceTest, AnswerThatNeverEndsIsGivenUp) {
  Start("settle: 0", "{linger: 0, max: 200ms}");
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  EXPECT_EQ(origin.ReadToEnd(), "");
  TestClient next = Send(Post("ann"));
  ExpectServed(next);
}

TEST_F(HttpFenceTest, UpstreamThatBreaksFreesTheKey) {
  Start();
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  origin.Reset();
  TestClient next = Send(Post("ann"));
  ExpectServed(next);
}

TEST_F(HttpFenceTest, BarrierComesBeforeTheNextRequest) {
  Start("settle: 0, barrier: {path: /alive}");
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient next = Send(Post("ann"));
  origin.Send("0\r\n\r\n");
  OriginLeg barrier = origin_.Accept();
  EXPECT_TRUE(barrier.ReadRequest().starts_with("GET /alive HTTP/1.1\r\n"));
  EXPECT_TRUE(origin_.NobodyComes());
  barrier.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  ExpectServed(next);
}

TEST_F(HttpFenceTest, BarrierThatIsNotAnsweredIsCounted) {
  Start("settle: 0, barrier: {path: /alive}");
  auto [client, origin] = OpenStream("ann");
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  TestClient next = Send(Post("ann"));
  origin.Send("0\r\n\r\n");
  OriginLeg barrier = origin_.Accept();
  ExpectServed(next);  // after session.close_timeout
  EXPECT_EQ(guard().Metric("connguard_barrier_timeouts_total"), 1);
}

TEST_F(HttpFenceTest, WebSocketsAndRequestsShareAFenceWhereTheirKeysAgree) {
  Start();
  auto [socket, leg] = Open("/ws/ann");
  TestClient next = Send(Post("ann"));
  EXPECT_EQ(socket.ReadClose(), 4409);
  socket.SendClose(4409);
  EXPECT_TRUE(origin_.NobodyComes());
  leg.ReadClose();
  leg.SendClose(1000);
  leg.Close();
  ExpectServed(next);
}

TEST_F(HttpFenceTest, UnreachableUpstreamFreesTheKey) {
  Start();
  origin_.Close();
  for (int i = 0; i < 2; ++i) {
    TestClient client = Send(Post("ann"));
    client.ExpectStatus(502);
  }
  guard().AwaitMetric("connguard_fence_keys", "", 0);
}

}  // namespace
}  // namespace connguard::testing
