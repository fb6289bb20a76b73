// The upstream ends: by a Close, by FIN, by a reset, in mid-frame.
#include <string>
#include <vector>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

struct Said {
  int code;  // 0: an empty Close
  std::string reason;
};

class UpstreamEndTest : public GuardTest {};

TEST_F(UpstreamEndTest, ItsCloseReachesTheClientUntouchedAndGetsItsEchoAndFin) {
  StartGuard();
  const std::vector<Said> all = {
      {1000, "bye"},   {1001, ""}, {1011, "oops"},        {1012, ""},
      {1013, "later"}, {3000, ""}, {4000, "caf\xC3\xA9"}, {4999, std::string(123, 'r')},
      {0, ""}};
  for (const auto& [code, reason] : all) {
    SCOPED_TRACE(code);
    auto [client, origin] = Open();
    const std::string close = origin.MakeFrame({.opcode = 8}, CloseBody(code, reason));
    origin.Send(close);
    EXPECT_EQ(client.ReadFrame().raw, close);
    const WireFrame echo = origin.ReadFrame();
    EXPECT_EQ(echo.first, 0x88);
    EXPECT_TRUE(echo.masked);
    EXPECT_EQ(echo.payload.substr(0, 2), CloseBody(code, ""));
    PeerEnd end = PeerEnd::kReset;
    EXPECT_EQ(origin.ReadToEnd(&end), "");
    EXPECT_EQ(end, PeerEnd::kFin);
    client.SendClose(code);
    EXPECT_EQ(client.ReadToEnd(&end), "");
    EXPECT_EQ(end, PeerEnd::kFin);
  }
}

TEST_F(UpstreamEndTest, ItsEchoDoesNotWaitForTheClients) {
  StartGuard();
  auto [client, origin] = Open();
  origin.SendClose(1000);
  EXPECT_EQ(origin.ReadClose(), 1000);
  EXPECT_EQ(origin.ReadToEnd(), "");
  origin.Close();
  EXPECT_EQ(client.ReadClose(), 1000);
  EXPECT_TRUE(client.Silent());  // its own Close is still awaited
  client.SendClose(1000);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(UpstreamEndTest, WhatItSendsBehindItsCloseDoesNotPass) {
  StartGuard();
  auto [client, origin] = Open();
  origin.Send(origin.MakeFrame({.opcode = 8}, CloseBody(1000, "")) + origin.MakeFrame({}, "more"));
  EXPECT_EQ(client.ReadClose(), 1000);
  client.SendClose(1000);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(UpstreamEndTest, CloseInMidTurnReachesTheClientToo) {
  StartGuard();
  auto [client, origin] = OpenInTurn();
  origin.SendClose(1012, "restart");
  std::string reason;
  EXPECT_EQ(client.ReadClose(&reason), 1012);
  EXPECT_EQ(reason, "restart");
  EXPECT_EQ(origin.ReadClose(), 1012);
}

TEST_F(UpstreamEndTest, CloseBetweenFragmentsReachesTheClient) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string begun = origin.MakeFrame({.fin = false}, "begun");
  origin.Send(begun + origin.MakeFrame({.opcode = 8}, CloseBody(1013, "")));
  EXPECT_EQ(client.Read(begun.size()), begun);
  EXPECT_EQ(client.ReadClose(), 1013);
}

TEST_F(UpstreamEndTest, FinWithoutACloseIs1011ForTheClient) {
  StartGuard();
  auto [client, origin] = OpenInTurn();
  origin.SendText("last");
  origin.Close();
  EXPECT_EQ(client.ReadText(), "last");
  EXPECT_EQ(client.ReadClose(), 1011);
  client.SendClose(1011);
  EXPECT_EQ(client.ReadToEnd(), "");
  guard().AwaitMetric("connguard_closes_total", "upstream_lost", 1);
}

TEST_F(UpstreamEndTest, ResetIs1011ForTheClient) {
  StartGuard();
  auto [client, origin] = OpenInTurn();
  origin.Reset();
  EXPECT_EQ(client.ReadClose(), 1011);
  client.SendClose(1011);
  EXPECT_EQ(client.ReadToEnd(), "");
  guard().AwaitMetric("connguard_closes_total", "upstream_reset", 1);
}

TEST_F(UpstreamEndTest, FinInMidFrameIsTheEndAndNoCloseInsideTheFrame) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string half = origin.MakeFrame({.opcode = 2}, std::string(1000, 'x')).substr(0, 500);
  origin.Send(half);
  EXPECT_EQ(client.Read(half.size()), half);
  origin.Close();
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(UpstreamEndTest, HeaderThatIsNeverCompletedDoesNotReachTheClient) {
  StartGuard();
  auto [client, origin] = Open();
  origin.Send(origin.MakeFrame({.opcode = 2}, std::string(1000, 'x')).substr(0, 3));
  origin.Close();
  EXPECT_EQ(client.ReadClose(), 1011);
}

TEST_F(UpstreamEndTest, PingsOfAShieldedUpstreamAreAnswered) {
  StartGuard();
  auto [client, origin] = OpenInTurn();
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  for (const std::string& payload : {std::string(), std::string(125, 'p')}) {
    origin.SendPing(payload);
    const WireFrame pong = origin.ReadFrame();
    EXPECT_EQ(pong.first, 0x8A);
    EXPECT_TRUE(pong.masked);
    EXPECT_EQ(pong.payload, payload);
  }
  origin.SendText("answer");
  EXPECT_EQ(origin.ReadClose(), 1001);
  origin.SendClose(1001);
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(UpstreamEndTest, ShieldedUpstreamThatClosesGetsItsEchoAndFin) {
  StartGuard();
  auto [client, origin] = OpenInTurn();
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  origin.SendClose(1011, "failed");
  EXPECT_EQ(origin.ReadClose(), 1011);
  EXPECT_EQ(origin.ReadToEnd(), "");
}

}  // namespace
}  // namespace connguard::testing
