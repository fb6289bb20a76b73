// Plain HTTP through the guard: any method, streamed both ways.
#include <array>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kHost = "Host: guard.example\r\n";
constexpr std::string_view kAdded =
    "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: guard.example\r\n"
    "\r\n";

std::string Request(std::string_view line, std::string_view fields = "") {
  return std::string(line) + " HTTP/1.1\r\n" + std::string(kHost) + std::string(fields) + "\r\n";
}

// What the origin sees of it.
std::string Forwarded(std::string_view line, std::string_view fields = "") {
  std::string head = Request(line, fields);
  head.resize(head.size() - 2);
  return head.append(kAdded);
}

// Sends while the test reads elsewhere; whatever it throws comes out of get().
std::future<void> Sending(Peer& peer, std::string_view bytes) {
  return std::async(std::launch::async, [&peer, bytes] { peer.Send(bytes); });
}

class HttpTest : public GuardTest {
 protected:
  // A request whose head has come to the origin.
  Ends Ask(const std::string& request) {
    TestClient client = guard().Connect();
    client.Send(request);
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    return {std::move(client), std::move(origin)};
  }

  // The origin's answer reaches the client as `expected`, and the connection ends.
  void ExpectAnswer(const std::string& request, const std::string& answer,
                    const std::string& expected) {
    SCOPED_TRACE(answer);
    auto [client, origin] = Ask(request);
    origin.Send(answer);
    PeerEnd end = PeerEnd::kReset;
    EXPECT_EQ(client.ReadToEnd(&end), expected);
    EXPECT_EQ(end, PeerEnd::kFin);
  }
};

TEST_F(HttpTest, RequestGoesUpstreamAsItCame) {
  StartGuard();
  const std::string fields = "x-ODD: 1\r\nAccept: */*\r\nX-Odd: 2\r\nCookie: a=b\r\n";
  for (const std::string line : {"GET /a?b=%20c", "DELETE /x", "OPTIONS *", "PATCH /p%2Fq//r",
                                 "BREW /coffee", "GET /ws/ann"}) {
    SCOPED_TRACE(line);
    TestClient client = guard().Connect();
    client.Send(Request(line, fields));
    EXPECT_EQ(origin_.Accept().ReadRequest(), Forwarded(line, fields));
  }
}

TEST_F(HttpTest, AnswerWithContentLengthReachesTheClient) {
  StartGuard();
  ExpectAnswer(Request("GET /", kClose),
               "HTTP/1.1 200 Fine\r\nx-A: 1\r\nX-a: 2\r\nContent-Length: 5\r\n\r\nhello",
               "HTTP/1.1 200 Fine\r\nx-A: 1\r\nX-a: 2\r\nContent-Length: 5\r\n"
               "Connection: close\r\n\r\nhello");
}

TEST_F(HttpTest, AnswersWithoutABodyEndAtTheirHead) {
  StartGuard();
  ExpectAnswer(Request("HEAD /", kClose), "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
               "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n");
  ExpectAnswer(Request("GET /", kClose), "HTTP/1.1 204 None\r\n\r\n",
               "HTTP/1.1 204 None\r\nConnection: close\r\n\r\n");
  ExpectAnswer(Request("GET /", kClose), "HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n",
               "HTTP/1.1 304 Same\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
}

TEST_F(HttpTest, ChunksPassBothWaysAsTheyCome) {
  StartGuard();
  auto [client, origin] =
      Ask(Request("POST /", "Connection: close\r\nTransfer-Encoding: chunked\r\n"));
  const std::vector<std::string> chunks = {"3;e=f\r\nabc\r\n", "10\r\n0123456789abcdef\r\n",
                                           "0\r\nX-Trailer: t\r\n\r\n"};
  for (const std::string& chunk : chunks) {
    client.Send(chunk);
    EXPECT_EQ(origin.Read(chunk.size()), chunk);
  }
  origin.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.ExpectStatus(200);
  for (const std::string& chunk : chunks) {
    origin.Send(chunk);
    EXPECT_EQ(client.Read(chunk.size()), chunk);
  }
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpTest, BodyBehindTheHeadInOneSegmentPassesWhole) {
  StartGuard();
  auto [client, origin] = Ask(Request("POST /", "Content-Length: 5\r\n") + "hello");
  EXPECT_EQ(origin.Read(5), "hello");
  EXPECT_TRUE(origin.Silent());
  origin.Send("HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
  client.ExpectStatus(201);
}

TEST_F(HttpTest, RequestAndAnswerMayComeByteByByte) {
  StartGuard();
  TestClient client = guard().Connect();
  client.SendByteByByte(Request("POST /", "Connection: close\r\nTransfer-Encoding: chunked\r\n") +
                        "3\r\nabc\r\n0\r\n\r\n");
  OriginLeg origin = origin_.Accept();
  EXPECT_EQ(origin.ReadRequest(), Forwarded("POST /", "Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(origin.Read(13), "3\r\nabc\r\n0\r\n\r\n");
  origin.SendByteByByte(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  EXPECT_NE(client.ExpectStatus(200).head.find(kClose), std::string::npos);
  EXPECT_EQ(client.ReadToEnd(), "2\r\nhi\r\n0\r\n\r\n");
}

TEST_F(HttpTest, AnswerThatEndsWithItsConnectionReachesTheClientWhole) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /"));
  const std::string body(300'000, 'b');
  origin.Send("HTTP/1.1 200 OK\r\n\r\n" + body);
  origin.Close();
  client.ExpectStatus(200);
  PeerEnd end = PeerEnd::kReset;
  EXPECT_TRUE(client.ReadToEnd(&end) == body);
  EXPECT_EQ(end, PeerEnd::kFin);
}

TEST_F(HttpTest, HalfAnAnswerDoesNotLookWhole) {
  StartGuard();
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n"}) {
    SCOPED_TRACE(answer);
    auto [client, origin] = Ask(Request("GET /"));
    origin.Send(answer);
    origin.Finish();
    PeerEnd end = PeerEnd::kFin;
    client.ReadToEnd(&end);
    EXPECT_EQ(end, PeerEnd::kReset);
  }
}

TEST_F(HttpTest, AnswerThatTurnsIllegalDoesNotLookWhole) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  client.ExpectStatus(200);
  EXPECT_EQ(client.Read(9), "4\r\nhalf\r\n");
  origin.Send("ZZ\r\n");
  PeerEnd end = PeerEnd::kFin;
  EXPECT_EQ(client.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kReset);
}

TEST_F(HttpTest, AnswerThatIsIllegalFromTheStartIsA502) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /"));
  origin.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nZZ\r\n");
  client.ExpectStatus(502);
  EXPECT_EQ(client.ReadToEnd().find("half"), std::string::npos);
}

TEST_F(HttpTest, UpstreamThatEndsBeforeItsAnswerIsA502) {
  StartGuard();
  auto [client, origin] = Ask(Request("GET /"));
  origin.Close();
  client.ExpectStatus(502);
  client.ReadToEnd();
}

TEST_F(HttpTest, UpstreamThatDoesNotAnswerIsA504) {
  StartGuard({.upstream = "", .upstream_more = "response_timeout: 200ms"});
  auto [client, origin] = Ask(Request("GET /"));
  client.ExpectStatus(504);
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(HttpTest, ContinueReachesTheClientBeforeItsBodyIsSent) {
  StartGuard();
  auto [client, origin] =
      Ask(Request("POST /", "Connection: close\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"));
  EXPECT_TRUE(client.Silent());
  origin.Send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().head, "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_EQ(origin.Read(4), "body");
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  client.ExpectStatus(200);
  EXPECT_EQ(client.ReadToEnd(), "ok");
}

TEST_F(HttpTest, UploadOfSomeMegabytesArrivesWhole) {
  StartGuard();
  std::string body(8 << 20, ' ');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>(i * 2'654'435'761 >> 24);
  auto [client, origin] =
      Ask(Request("PUT /file", "Content-Length: " + std::to_string(body.size()) + "\r\n"));
  std::future<void> sending = Sending(client, body);
  EXPECT_TRUE(origin.Read(body.size()) == body);
  sending.get();
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  client.ExpectStatus(200);
}

TEST_F(HttpTest, ClientThatLeavesEndsTheUpstreamsRequest) {
  StartGuard();
  {
    auto [client, origin] = Ask(Request("GET /slow"));
    client.Reset();
    EXPECT_EQ(origin.ReadToEnd(), "");
  }
  auto [client, origin] = Ask(Request("POST /", "Content-Length: 100\r\n") + "half");
  client.Close();
  EXPECT_EQ(origin.ReadToEnd(), "half");
}

TEST_F(HttpTest, BothDirectionsFullAtOnceDoNotLock) {
  StartGuard();
  const std::string body(32 << 20, 'x');
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  std::vector<Ends> pairs;  // the answers begin before the requests are whole: the clients' last
  pairs.push_back(Ask(Request("POST /one", length)));
  pairs.push_back(Ask(Request("POST /two", length)));
  std::array<std::pair<std::size_t, std::size_t>, 2> sent;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto& [client, origin] = pairs[i];
    origin.Send("HTTP/1.1 200 OK\r\n" + length + "\r\n");
    sent[i] = {client.SendUntilStuck(body), origin.SendUntilStuck(body)};
    EXPECT_LT(sent[i].first, body.size());
    EXPECT_LT(sent[i].second, body.size());
  }
  const std::string_view whole = body;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto& [client, origin] = pairs[i];
    std::future<void> up = Sending(client, whole.substr(sent[i].first));
    EXPECT_TRUE(origin.Read(body.size()) == body);
    up.get();
    std::future<void> down = Sending(origin, whole.substr(sent[i].second));
    client.ExpectStatus(200);
    EXPECT_TRUE(client.ReadToEnd() == body);
    down.get();
  }
}

}  // namespace
}  // namespace connguard::testing
