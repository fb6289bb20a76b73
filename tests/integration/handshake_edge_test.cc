// The opening handshake at its edges: odd targets, forged fields, refusals without an end.
#include <string>
#include <utility>
#include <vector>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

// What an origin sees of TestClient::Handshake.
std::string Forwarded(std::string_view target) {
  std::string head = TestClient::Handshake(target);
  head.resize(head.size() - 2);
  return head +
         "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
         "X-Forwarded-Host: guard.example\r\n\r\n";
}

class HandshakeEdgeTest : public GuardTest {
 protected:
  // A client whose handshake has come to the origin.
  Ends Ask(std::string_view target = "/ws/ann") {
    TestClient client = Connect(target);
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    return {std::move(client), std::move(origin)};
  }
};

TEST_F(HandshakeEdgeTest, BrokenEscapesAndOddSignsReachTheUpstreamAsTheyCame) {
  StartGuard();
  const std::vector<std::string> targets = {
      "/ws/b%6fb?x=%zz&y=%",  "//ws//carl;v=1?%00%2f..",       "/ws/../dora/./?a=b?c",
      "/%E2%82%AC?%e2%82%ac", "/ws/e%2Fva?q={\"a\":1}|^`\\<>", "/?"};
  for (const std::string& target : targets) {
    TestClient client = Connect(target);
    EXPECT_EQ(origin_.Accept().ReadRequest(), Forwarded(target));
  }
}

TEST_F(HandshakeEdgeTest, NoSpellingOfAForwardedFieldPasses) {
  StartGuard();
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann",
                       "x-forwarded-for: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n"
                       "X-Forwarded-Host: bank.example\r\nX_Forwarded_For: 10.0.0.1\r\n"
                       "X-Forwarded-Port: 443\r\nforwarded: for=10.0.0.1\r\n");
  EXPECT_EQ(origin_.Accept().ReadRequest(), Forwarded("/ws/ann"));
}

TEST_F(HandshakeEdgeTest, CloseBehindTheUpstreams101ReachesTheClient) {
  StartGuard();
  auto [client, origin] = Ask();
  origin.Send(OriginLeg::Upgraded() + origin.MakeFrame({.opcode = 8}, CloseBody(4001, "full")));
  client.ExpectStatus(101);
  std::string reason;
  EXPECT_EQ(client.ReadClose(&reason), 4001);
  EXPECT_EQ(reason, "full");
  EXPECT_EQ(origin.ReadClose(), 4001);
}

TEST_F(HandshakeEdgeTest, RefusalWithoutABodyDoesNotWaitForTheUpstreamsEnd) {
  StartGuard();
  auto [client, origin] = Ask();
  origin.Send("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n");
  EXPECT_EQ(client.ReadToEnd(),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(HandshakeEdgeTest, HalfAChunkedRefusalDoesNotLookWhole) {
  StartGuard();
  for (const std::string body : {"4\r\nhalf\r\n", "4\r\nhalf\r\n0\r\n", "4\r\nhalf\r\nZZ\r\n"}) {
    SCOPED_TRACE(body);
    auto [client, origin] = Ask();
    origin.Send("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    origin.Finish();
    PeerEnd end = PeerEnd::kFin;
    client.ReadToEnd(&end);
    EXPECT_EQ(end, PeerEnd::kReset);
  }
}

TEST_F(HandshakeEdgeTest, RefusalFreesTheSessionKey) {
  StartGuard();
  auto [refused, origin] = Ask();
  origin.Send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
  refused.ExpectStatus(403);
  auto [client, second] = Open();
  second.SendText("welcome");
  EXPECT_EQ(client.ReadText(), "welcome");
}

}  // namespace
}  // namespace connguard::testing
