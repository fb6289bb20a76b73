// Requests as they come over a socket: queries, fields, bodies, and what every answer says.
#include <gtest/gtest.h>

#include <memory>

#include "canned.h"
#include "http_client.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

class AdminRequestTest : public testing::Test {
 protected:
  void Start(const std::string& token = {}) {
    server_ = std::make_unique<AdminServer>(
        AdminConfig{.bind = {"127.0.0.1", 0, ""}, .token = token}, guard_.Sources());
  }
  HttpReply Ask(std::string_view method, std::string_view target, std::string_view fields = "") {
    return HttpClient::Tcp(server_->port()).Ask(method, target, fields).value_or(HttpReply{});
  }
  std::size_t Matched(const std::string& query) {
    const HttpReply reply = Ask("GET", "/v1/sessions?" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Parse(reply.body)["matched"].get<std::size_t>();
  }

  CannedGuard guard_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminRequestTest, QueriesArePercentDecodedOnce) {
  Start();
  EXPECT_EQ(Matched("q=0%3A4294967298"), 1U);
  EXPECT_EQ(Matched("q=%30%3a4294967298&limit=1"), 1U);
  guard_.sessions[0].route = "a&b=c d+e%41";
  EXPECT_EQ(Matched("route=a%26b%3Dc+d%2Be%2541&&"), 1U);
  EXPECT_EQ(Matched("route=a%26b%3Dc%20d%2Be%2541"), 1U);
  EXPECT_EQ(Ask("GET", "/v1/sessions?route=a&b=c").status, 400);
  EXPECT_EQ(Ask("GET", "/v1/sessions?").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/sessions?route").status, 400);
}

TEST_F(AdminRequestTest, ASessionsIdMayBeEncoded) {
  Start();
  EXPECT_EQ(Ask("GET", "/v1/sessions/0%3A4294967296").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/sessions/0:4294967296").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/sessions/0:4294967295").status, 404);
}

TEST_F(AdminRequestTest, DeleteAndPostNeedNoBody) {
  Start();
  EXPECT_EQ(Ask("DELETE", "/v1/sessions/0:4294967296").status, 202);
  EXPECT_EQ(Ask("DELETE", "/v1/sessions/0:7").status, 404);
  EXPECT_EQ(guard_.closed.size(), 1U);
  EXPECT_EQ(Ask("POST", "/v1/drain").status, 202);
  EXPECT_EQ(Ask("POST", "/v1/drain", "Content-Length: 0\r\n").status, 202);
  EXPECT_EQ(guard_.drains, 2);
}

TEST_F(AdminRequestTest, ABodyIsThrownAwayUnlessItIsTooLarge) {
  Start();
  HttpClient client = HttpClient::Tcp(server_->port());
  client.Send("POST /v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n" +
              std::string(50'000, '{'));
  EXPECT_EQ(client.Receive().value().status, 202);
  EXPECT_TRUE(client.EndsWithin(2s));
  EXPECT_EQ(Ask("POST", "/v1/drain", "Content-Length: 65537\r\n").status, 413);
  EXPECT_EQ(Ask("POST", "/v1/drain", "Transfer-Encoding: chunked\r\n").status, 411);
  EXPECT_EQ(Ask("POST", "/v1/drain", "Content-Length: x\r\n").status, 411);
  EXPECT_EQ(guard_.drains, 1);
}

TEST_F(AdminRequestTest, EveryAnswerTellsBrowsersToBeCareful) {
  Start("0123456789abcdef");
  for (const char* target : {"/", "/livez", "/metrics", "/v1/sessions", "/nothing"}) {
    const HttpReply reply = Ask("GET", target);
    EXPECT_EQ(reply.Value("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(reply.Value("cache-control"), "no-store") << target;
    EXPECT_EQ(reply.Value("content-security-policy"),
              "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    EXPECT_EQ(reply.Value("referrer-policy"), "no-referrer") << target;
    EXPECT_EQ(reply.Value("access-control-allow-origin"), "") << target;
  }
}

TEST_F(AdminRequestTest, TheTokenIsAskedFor) {
  Start("0123456789abcdef");
  for (const char* target :
       {"/metrics", "/v1/sessions", "/v1/openapi.json", "/v1/events", "/v1/no"}) {
    const HttpReply reply = Ask("GET", target);
    EXPECT_EQ(reply.status, 401) << target;
    EXPECT_EQ(reply.Value("www-authenticate"), "Bearer realm=\"connguard\"");
  }
  EXPECT_EQ(Ask("POST", "/v1/drain").status, 401);
  EXPECT_EQ(guard_.drains, 0);
  EXPECT_EQ(Ask("GET", "/metrics", "Authorization: Bearer 0123456789abcdeX\r\n").status, 401);
  EXPECT_EQ(Ask("GET", "/metrics", "Authorization: Bearer 0123456789abcdef\r\n").status, 200);
  EXPECT_EQ(Ask("POST", "/v1/drain", "Authorization: bearer 0123456789abcdef\r\n").status, 202);
  EXPECT_EQ(Ask("GET", "/metrics",
                "Authorization: Bearer x\r\nAuthorization: Bearer 0123456789abcdef\r\n")
                .status,
            401);
  for (const char* target : {"/", "/app.js", "/style.css", "/icon.svg", "/livez", "/readyz"}) {
    EXPECT_EQ(Ask("GET", target).status, 200) << target;
  }
}

TEST_F(AdminRequestTest, PagesOfOtherOriginsAreRefused) {
  Start();
  EXPECT_EQ(Ask("POST", "/v1/drain", "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(guard_.drains, 0);
  EXPECT_EQ(Ask("POST", "/v1/drain", "Origin: http://localhost\r\n").status, 202);
  HttpClient client = HttpClient::Tcp(server_->port());
  client.Send("GET /v1/sessions HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.Receive().value().status, 403);
  client.Send("GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.Receive().value().status, 200);
  client.Send("GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n");
  const auto twice = client.Receive();
  EXPECT_TRUE(!twice || twice->status == 403);
}

TEST_F(AdminRequestTest, ManyCookiesOfOtherServersDoNotMatter) {
  Start();
  EXPECT_EQ(Ask("GET", "/v1/sessions", "Cookie: a=" + std::string(10'000, 'x') + "\r\n").status,
            200);
}

}  // namespace
}  // namespace connguard
