// Who the client is, on whose word, and what the upstream hears of it.
#include <string>
#include <utility>

#include "plain_http.h"

namespace connguard::testing {
namespace {

class HttpProxiesTest : public PlainHttpTest {
 protected:
  // What the origin sees of this request.
  std::string Seen(const std::string& request) {
    TestClient client = Send(request);
    return origin_.Accept().ReadRequest();
  }
  static bool Holds(const std::string& head, std::string_view line) {
    return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }

  const std::string claims_ =
      "X-Forwarded-For: 198.51.100.7, 127.0.0.9\r\nX-Forwarded-Proto: https\r\n"
      "Forwarded: for=198.51.100.7\r\n";
};

TEST_F(HttpProxiesTest, NobodyIsBelievedUnlessTrusted) {
  StartGuard({.upstream = "", .listener_more = "trusted_proxies: [10.0.0.0/8]"});
  for (const std::string& head :
       {Seen(Request("GET /", claims_)), Seen(TestClient::Handshake("/ws/ann", claims_))}) {
    EXPECT_TRUE(Holds(head, "X-Forwarded-For: 127.0.0.1")) << head;
    EXPECT_TRUE(Holds(head, "X-Forwarded-Proto: http"));
    EXPECT_EQ(head.find("198.51.100.7"), std::string::npos);
  }
}

TEST_F(HttpProxiesTest, TrustedProxyIsBelievedAndAdded) {
  StartGuard({.upstream = "", .listener_more = "trusted_proxies: [127.0.0.0/8]"});
  for (const std::string& head :
       {Seen(Request("GET /", claims_)), Seen(TestClient::Handshake("/ws/ann", claims_))}) {
    EXPECT_TRUE(Holds(head, "X-Forwarded-For: 198.51.100.7, 127.0.0.9, 127.0.0.1")) << head;
    EXPECT_TRUE(Holds(head, "X-Forwarded-Proto: https"));
    EXPECT_TRUE(Holds(head, "X-Forwarded-Host: guard.example"));
    EXPECT_TRUE(Holds(head, "Forwarded: for=198.51.100.7"));
  }
}

TEST_F(HttpProxiesTest, ClientBehindATrustedProxyIsWhoCounts) {
  StartGuard({.upstream = "",
              .session = "key: \"{client.ip}\", settle: 0, close_timeout: 2s",
              .listener_more = "trusted_proxies: [127.0.0.0/8]"});
  auto [ann, leg] = Open("/ws/a", "X-Forwarded-For: 198.51.100.7\r\n");
  auto [bob, leg2] = Open("/ws/b", "X-Forwarded-For: 198.51.100.8\r\n");
  EXPECT_TRUE(ann.Silent());  // another address: no take-over
  TestClient again = guard().Connect();
  again.SendHandshake("/ws/c", "X-Forwarded-For: 6.6.6.6, 198.51.100.7, 127.0.0.2\r\n");
  EXPECT_EQ(ann.ReadClose(), 4409);
  EXPECT_TRUE(bob.Silent());
}

TEST_F(HttpProxiesTest, ForwardedAndViaAreSaidOnRequest) {
  StartGuard({.upstream = "", .upstream_more = "forwarded: true, via: true"});
  TestClient client = Send(Request("GET /", "Via: 1.0 edge\r\n"));
  OriginLeg origin = origin_.Accept();
  const std::string head = origin.ReadRequest();
  EXPECT_TRUE(Holds(head, "Forwarded: for=127.0.0.1;host=\"guard.example\";proto=http")) << head;
  EXPECT_TRUE(Holds(head, "Via: 1.0 edge"));
  EXPECT_TRUE(Holds(head, "Via: 1.1 connguard"));
  origin.Send(kEmptyAnswer);
  EXPECT_EQ(client.ReadAnswer().Value("Via"), "1.1 connguard");
}

TEST_F(HttpProxiesTest, NeitherIsSaidUnasked) {
  StartGuard();
  const std::string head = Seen(Request("GET /"));
  EXPECT_EQ(head.find("Forwarded: for"), std::string::npos) << head;
  EXPECT_EQ(head.find("Via"), std::string::npos);
}

}  // namespace
}  // namespace connguard::testing
