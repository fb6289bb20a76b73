// What bounds a plain request: sizes and clocks. Who is late decides on the answer.
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "plain_http.h"

namespace connguard::testing {
namespace {

class HttpLimitsTest : public PlainHttpTest {
 protected:
  // A problem of the guard's: status, what it says, and the end of the connection.
  static void ExpectProblem(TestClient& client, int status, std::string_view detail) {
    const Answer answer = client.ExpectStatus(status);
    EXPECT_EQ(answer.Value("Content-Type"), "application/problem+json");
    const std::string id = answer.Value("X-Request-Id");
    EXPECT_EQ(id.size(), 16U);
    PeerEnd end = PeerEnd::kReset;
    const std::string body = client.ReadToEnd(&end);
    EXPECT_EQ(end, PeerEnd::kFin);
    EXPECT_NE(body.find(detail), std::string::npos) << body;
    EXPECT_NE(body.find("\"request_id\":\"" + id + "\""), std::string::npos) << body;
  }
};

TEST_F(HttpLimitsTest, AnnouncedBodyThatIsTooLongReachesNoUpstream) {
  StartGuard({.upstream = "", .limits = "{body_size: 1KiB}"});
  TestClient client = Send(Request("POST /", "Content-Length: 1025\r\n"));
  ExpectProblem(client, 413, "limits.body_size");
  EXPECT_TRUE(origin_.NobodyComes());
  auto [good, origin] = Ask(Request("POST /", "Content-Length: 1024\r\n") + std::string(1024, 'x'));
  EXPECT_EQ(origin.Read(1024), std::string(1024, 'x'));
  origin.Send(kEmptyAnswer);
  ExpectBytes(good, kEmptyAnswer);
}

TEST_F(HttpLimitsTest, ChunkedBodyThatGrowsTooLongIsCut) {
  StartGuard({.upstream = "", .limits = "{body_size: 1KiB}"});
  auto [client, origin] = Ask(Request("POST /", "Transfer-Encoding: chunked\r\n"));
  const std::string chunk = "200\r\n" + std::string(512, 'x') + "\r\n";
  client.Send(chunk + chunk);
  EXPECT_EQ(origin.Read(2 * chunk.size()), chunk + chunk);
  client.Send("1\r\ny\r\n");
  ExpectProblem(client, 413, "limits.body_size");
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(HttpLimitsTest, ClientThatStopsInItsBodyGetsA408) {
  StartGuard({.upstream = "", .limits = "{body_timeout: 200ms}"});
  auto [client, origin] = Ask(Request("POST /", "Content-Length: 9\r\n") + "half");
  ExpectProblem(client, 408, "limits.body_timeout");
  EXPECT_EQ(origin.ReadToEnd(), "half");
}

TEST_F(HttpLimitsTest, ClientThatTakesNothingIsReset) {
  StartGuard({.upstream = "", .limits = "{body_timeout: 300ms, buffer: 64KiB}"});
  TestClient client = guard().Connect(4096);
  client.Send(Request("GET /"));
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  const std::string body(64 << 20, 'x');
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_LT(origin.SendUntilStuck(body), body.size());
  PeerEnd end = PeerEnd::kFin;
  origin.ReadToEnd(&end);
  guard().AwaitMetric("connguard_connections", "", 0);
}

TEST_F(HttpLimitsTest, SlowStreamIsNobodysFault) {
  StartGuard({.upstream = "",
              .upstream_more = "response_timeout: 100ms",
              .limits = "{body_timeout: 100ms}"});
  auto [client, origin] = Ask(Request("GET /events"));
  origin.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  client.ExpectStatus(200);
  EXPECT_EQ(client.Read(6), "1\r\na\r\n");
  EXPECT_TRUE(client.Silent(std::chrono::milliseconds(400)));
  origin.Send("0\r\n\r\n");
  EXPECT_EQ(client.Read(5), "0\r\n\r\n");
}

TEST_F(HttpLimitsTest, UpstreamThatDoesNotAnswerIsA504ThatNamesTheTimeout) {
  StartGuard({.upstream = "", .upstream_more = "response_timeout: 200ms"});
  auto [client, origin] = Ask(Request("GET /"));
  ExpectProblem(client, 504, "upstreams[].response_timeout");
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(HttpLimitsTest, WhoWaitsForAContinueIsNotLate) {
  StartGuard({.upstream = "",
              .upstream_more = "response_timeout: 300ms",
              .limits = "{body_timeout: 100ms}"});
  auto [client, origin] = Ask(Request("POST /", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
  ExpectProblem(client, 504, "upstreams[].response_timeout");
}

TEST_F(HttpLimitsTest, WhoSendsSlowlyDoesNotMakeTheUpstreamLate) {
  StartGuard({.upstream = "", .upstream_more = "response_timeout: 100ms"});
  auto [client, origin] = Ask(Request("POST /", "Content-Length: 4\r\n"));
  EXPECT_TRUE(client.Silent(std::chrono::milliseconds(400)));
  client.Send("body");
  EXPECT_EQ(origin.Read(4), "body");
  origin.Send(kEmptyAnswer);
  ExpectBytes(client, kEmptyAnswer);
}

TEST_F(HttpLimitsTest, UpstreamThatDoesNotAcceptIsA504ThatNamesTheTimeout) {
  // A listener whose queue is full: further handshakes of TCP get no answer.
  Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(name);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  Address address;
  address.host = "127.0.0.1";
  address.port = ntohs(name.sin_port);
  const Fd first = ConnectTo(address);
  StartGuard(
      {.upstream = "http://" + address.ToString(), .upstream_more = "connect_timeout: 200ms"});
  TestClient client = Send(Request("GET /"));
  ExpectProblem(client, 504, "upstreams[].connect_timeout");
}

TEST_F(HttpLimitsTest, HeadIsRefusedWithoutABody) {
  StartGuard();
  origin_.Close();
  TestClient client = Send(Request("HEAD /"));
  client.ExpectStatus(502);
  ExpectEnd(client, PeerEnd::kFin);
}

}  // namespace
}  // namespace connguard::testing
