// Connections that carry more than one plain request: the client's and the upstream's.
#include <atomic>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "plain_http.h"

namespace connguard::testing {
namespace {

class KeepaliveTest : public PlainHttpTest {
 protected:
  // A connection of the origin's that waits in the guard's pool, and its client's.
  Ends Pooled() {
    Ends ends = Ask(Request("GET /first"));
    ends.origin.Send(kEmptyAnswer);
    ExpectBytes(ends.client, kEmptyAnswer);
    guard().AwaitMetric("connguard_upstream_idle_connections", "", 1);
    return ends;
  }
};

TEST_F(KeepaliveTest, BothConnectionsCarryOneRequestAfterTheOther) {
  StartGuard();
  auto [client, origin] = Pooled();
  for (const std::string path : {"/a", "/b", "/c"}) {
    client.Send(Request("GET " + path));
    EXPECT_TRUE(origin.ReadRequest().starts_with("GET " + path + " HTTP/1.1\r\n"));
    origin.Send(Answer200(path));
    ExpectBytes(client, Answer200(path));
  }
  client.Send(Request("POST /d", "Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\n\r\n");
  origin.ReadRequest();
  EXPECT_EQ(origin.Read(11), "1\r\nx\r\n0\r\n\r\n");
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  EXPECT_TRUE(origin_.NobodyComes());
  EXPECT_EQ(guard().Metric("connguard_upstream_reuses_total"), 4);
}

TEST_F(KeepaliveTest, AnotherClientTakesTheIdleConnection) {
  StartGuard();
  auto [client, origin] = Pooled();
  TestClient other = Send(Request("GET /other"));
  EXPECT_TRUE(origin.ReadRequest().starts_with("GET /other "));
  origin.Send(kEmptyAnswer);
  ExpectBytes(other, kEmptyAnswer);
}

TEST_F(KeepaliveTest, PipelinedRequestsAreAnsweredInOrder) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /0") + Request("POST /1", "Content-Length: 4\r\n") +
                              "body" + Request("GET /2"));
  EXPECT_TRUE(origin.Silent());  // one at a time
  origin.Send(Answer200("zero"));
  ExpectBytes(client, Answer200("zero"));
  EXPECT_TRUE(origin.ReadRequest().starts_with("POST /1 "));
  EXPECT_EQ(origin.Read(4), "body");
  origin.Send("HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
  client.ExpectStatus(201);
  EXPECT_TRUE(origin.ReadRequest().starts_with("GET /2 "));
  origin.Send(Answer200("two"));
  ExpectBytes(client, Answer200("two"));
}

TEST_F(KeepaliveTest, RequestsMayComeByteByByteOneBehindTheOther) {
  StartGuard();
  auto [client, origin] = Pooled();
  auto sending = std::async(std::launch::async, [&client] {
    client.SendByteByByte(Request("POST /1", "Content-Length: 2\r\n") + "ab" + Request("GET /2"));
  });
  EXPECT_TRUE(origin.ReadRequest().starts_with("POST /1 "));
  EXPECT_EQ(origin.Read(2), "ab");
  origin.Send(kEmptyAnswer);
  EXPECT_TRUE(origin.ReadRequest().starts_with("GET /2 "));
  origin.Send(kEmptyAnswer);
  sending.get();
  ExpectBytes(client, std::string(kEmptyAnswer) + std::string(kEmptyAnswer));
}

TEST_F(KeepaliveTest, PipelineEndsAtAnIllegalRequest) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /0") + "GET / HTTP/1.1\r\n\r\n" + Request("GET /2"));
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  client.ExpectStatus(400);
  PeerEnd end = PeerEnd::kReset;
  EXPECT_EQ(client.ReadToEnd(&end).find("HTTP/1.1"), std::string::npos);
  EXPECT_EQ(end, PeerEnd::kFin);
  EXPECT_TRUE(origin.Silent());
}

TEST_F(KeepaliveTest, ClientThatWantsItsConnectionClosedGetsThat) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /", "Connection: close\r\n"));
  origin.Send(kEmptyAnswer);
  EXPECT_EQ(client.ReadAnswer().Value("Connection"), "close");
  ExpectEnd(client, PeerEnd::kFin);
  EXPECT_TRUE(origin.Silent());  // the upstream's stays
}

TEST_F(KeepaliveTest, ClientOfHttp10GetsItsAnswerWithoutChunks) {
  StartGuard();
  auto [client, origin] = Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  origin.Send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().head, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  origin.Send("3;x=y\r\nabc\r\n");
  EXPECT_EQ(client.Read(3), "abc");
  origin.Send("2\r\nde\r\n0\r\nT: t\r\n\r\n");
  EXPECT_EQ(client.Read(2), "de");
  ExpectEnd(client, PeerEnd::kFin);
  EXPECT_TRUE(origin.Silent());  // the upstream speaks 1.1: its connection stays
}

TEST_F(KeepaliveTest, HalfAnAnswerWithoutChunksDoesNotLookWhole) {
  StartGuard();
  auto [client, origin] = Ask("GET / HTTP/1.0\r\n\r\n");
  origin.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.ExpectStatus(200);
  EXPECT_EQ(client.Read(3), "abc");
  origin.Close();
  ExpectEnd(client, PeerEnd::kReset);
}

TEST_F(KeepaliveTest, ClientOfHttp10KeepsItsConnectionWhereItMay) {
  StartGuard();
  const std::string request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  auto [client, origin] = Ask(request);
  origin.Send(Answer200("one"));
  EXPECT_EQ(client.ReadAnswer().Value("Connection"), "keep-alive");
  EXPECT_EQ(client.Read(3), "one");
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(origin.ReadRequest().starts_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:"));
  origin.Send(Answer200("two"));
  EXPECT_EQ(client.ReadAnswer().Value("Connection"), "close");
  EXPECT_EQ(client.Read(3), "two");
  ExpectEnd(client, PeerEnd::kFin);
}

TEST_F(KeepaliveTest, UpstreamThatClosesIsNotUsedAgain) {
  StartGuard();
  TestClient client = guard().Connect();
  for (const std::string& answer : {Answer200("a", "Connection: close\r\n"),
                                    std::string("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na")}) {
    SCOPED_TRACE(answer);
    client.Send(Request("GET /"));
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(answer);
    ExpectBytes(client, Answer200("a"));
    ExpectEnd(origin, PeerEnd::kFin);
  }
}

TEST_F(KeepaliveTest, AnswerUntilCloseEndsTheClientsConnection) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send("HTTP/1.1 200 OK\r\n\r\nall");
  EXPECT_EQ(client.ReadAnswer().Value("Connection"), "close");
  EXPECT_EQ(client.Read(3), "all");
  origin.Finish();
  ExpectEnd(client, PeerEnd::kFin);
}

TEST_F(KeepaliveTest, BytesBehindAnAnswerReachNobody) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send(std::string(kEmptyAnswer) + Answer200("unasked"));
  ExpectBytes(client, kEmptyAnswer);
  origin.ReadToEnd();
  client.Send(Request("GET /next"));
  OriginLeg fresh = origin_.Accept();
  EXPECT_TRUE(fresh.ReadRequest().starts_with("GET /next "));
  fresh.Send(Answer200("asked"));
  ExpectBytes(client, Answer200("asked"));
}

TEST_F(KeepaliveTest, BytesOnAnIdleConnectionReachNobody) {
  StartGuard();
  auto [client, origin] = Pooled();
  origin.Send(Answer200("unasked"));
  origin.ReadToEnd();
  client.Send(Request("GET /next"));
  OriginLeg fresh = origin_.Accept();
  fresh.ReadRequest();
  fresh.Send(Answer200("asked"));
  ExpectBytes(client, Answer200("asked"));
}

TEST_F(KeepaliveTest, IdleConnectionThatEndsIsReplaced) {
  StartGuard();
  auto [client, origin] = Pooled();
  origin.Close();
  guard().AwaitMetric("connguard_upstream_idle_connections", "", 0);
  client.Send(Request("POST /next", "Content-Length: 0\r\n"));
  OriginLeg fresh = origin_.Accept();
  fresh.ReadRequest();
  fresh.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  EXPECT_EQ(guard().Metric("connguard_upstream_retries_total"), 0);
}

TEST_F(KeepaliveTest, RequestThatMayBeRepeatedIsSentOnceMore) {
  StartGuard();
  auto [client, origin] = Pooled();
  client.Send(Request("DELETE /x"));
  origin.ReadRequest();
  origin.Close();  // it was about to, when the request came
  OriginLeg fresh = origin_.Accept();
  EXPECT_TRUE(fresh.ReadRequest().starts_with("DELETE /x "));
  fresh.Send(Answer200("done"));
  ExpectBytes(client, Answer200("done"));
  EXPECT_EQ(guard().Metric("connguard_upstream_retries_total"), 1);
}

TEST_F(KeepaliveTest, ItIsSentOnceMoreOnly) {
  StartGuard();
  auto [client, origin] = Pooled();
  client.Send(Request("GET /x"));
  origin.ReadRequest();
  origin.Reset();
  OriginLeg fresh = origin_.Accept();
  fresh.ReadRequest();
  fresh.Close();
  client.ExpectStatus(502);
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(KeepaliveTest, ItIsNotSentAgainOnceAnAnswerHasBegun) {
  StartGuard();
  auto [client, origin] = Pooled();
  client.Send(Request("GET /x"));
  origin.ReadRequest();
  origin.Send("H");
  origin.Close();
  client.ExpectStatus(502);
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(KeepaliveTest, RequestThatMayNotBeRepeatedIsNot) {
  StartGuard();
  for (const std::string& request : {Request("POST /x"), Request("PATCH /x"), Request("LOCK /x"),
                                     Request("PUT /x", "Content-Length: 1\r\n") + "x"}) {
    SCOPED_TRACE(request);
    auto [client, origin] = Pooled();
    client.Send(request);
    origin.ReadRequest();
    origin.Close();
    client.ExpectStatus(502);
    EXPECT_TRUE(origin_.NobodyComes());
  }
}

TEST_F(KeepaliveTest, PoolKeepsAsManyAsItIsTold) {
  StartGuard({.upstream = "", .upstream_more = "keepalive: {connections: 1}"});
  auto [client, origin] = Ask(Request("GET /1"));
  auto [client2, origin2] = Ask(Request("GET /2"));
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  origin2.Send(kEmptyAnswer);
  ExpectBytes(client2, kEmptyAnswer);
  ExpectEnd(origin, PeerEnd::kFin);  // the older one makes room
  EXPECT_TRUE(origin2.Silent());
}

TEST_F(KeepaliveTest, PoolOfNoneSaysSo) {
  StartGuard({.upstream = "", .upstream_more = "keepalive: {connections: 0}"});
  TestClient client = Send(Request("GET /"));
  OriginLeg origin = origin_.Accept();
  EXPECT_NE(origin.ReadRequest().find("\r\nConnection: close\r\n"), std::string::npos);
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  ExpectEnd(origin, PeerEnd::kFin);
}

TEST_F(KeepaliveTest, IdleConnectionIsClosedInTime) {
  StartGuard({.upstream = "", .upstream_more = "keepalive: {idle: 100ms}"});
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  ExpectEnd(origin, PeerEnd::kFin);
}

TEST_F(KeepaliveTest, ClientThatAsksNoMoreIsClosedInTime) {
  StartGuard({.upstream = "", .limits = "{keepalive_timeout: 100ms}"});
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  ExpectEnd(client, PeerEnd::kFin);  // without a word
}

TEST_F(KeepaliveTest, HalfARequestBehindAnAnswerIsA408) {
  StartGuard({.upstream = "", .limits = "{handshake_timeout: 200ms}"});
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
  client.Send("GET /half HTT");
  client.ExpectStatus(408);
}

TEST_F(KeepaliveTest, ConnectionMayBecomeAWebSocket) {
  StartGuard();
  auto [client, origin] = Pooled();
  client.SendHandshake("/ws/ann");
  OriginLeg leg = origin_.Accept();  // a WebSocket gets a connection of its own
  leg.Upgrade();
  client.ExpectStatus(101);
  client.SendText("ask");
  EXPECT_EQ(leg.ReadText(), "ask");
}

TEST_F(KeepaliveTest, ShutdownEndsIdleConnectionsAndFinishesTheOthers) {
  StartGuard();
  auto [idle, pooled] = Pooled();
  TestClient busy = Send(Request("GET /slow"));
  pooled.ReadRequest();
  guard().Signal(SIGTERM);
  ExpectEnd(idle, PeerEnd::kFin);
  pooled.Send(Answer200("slow"));
  EXPECT_EQ(busy.ReadAnswer().Value("Connection"), "close");
  EXPECT_EQ(busy.Read(4), "slow");
  ExpectEnd(busy, PeerEnd::kFin);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(KeepaliveTest, ClientThatAsksAndTakesNothingIsServedNoFurtherThanItsBuffers) {
  StartGuard();
  constexpr int kRequests = 2000;
  const std::string answer = Answer200(std::string(64 * 1024, 'x'));
  TestClient client = Send(Request("GET /0"));
  OriginLeg origin = origin_.Accept();
  std::atomic<int> served = 0;
  auto serving = std::async(std::launch::async, [&] {
    for (; served < kRequests; ++served) {
      origin.ReadRequest();
      origin.Send(answer);
    }
  });
  auto sending = std::async(std::launch::async, [&client] {
    for (int i = 1; i < kRequests; ++i) client.Send(Request("GET /" + std::to_string(i)));
  });
  int before = -1;
  while (before != served) {
    before = served;
    serving.wait_for(std::chrono::milliseconds(200));
  }
  EXPECT_LT(before, kRequests / 4);  // 32 MiB: more than any kernel keeps for the two sockets
  for (int i = 0; i < kRequests; ++i) {
    if (client.Read(answer.size()) != answer) {
      ADD_FAILURE() << "answer " << i;
      break;
    }
  }
  sending.get();
  serving.get();
}

}  // namespace
}  // namespace connguard::testing
