// The client goes; what its upstream sees of it, between turns and in mid-turn.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

using DropTest = GuardTest;

TEST_F(DropTest, ACloseBetweenTurnsGoesThroughWithItsCodeAndReason) {
  StartGuard();
  Ends ends = Open();
  ends.client.SendClose(4001, "good night");
  EXPECT_EQ(ends.client.ReadClose(), 4001);
  ExpectFin(ends.client);
  ExpectClosedWith(ends.origin, 4001, "good night");
}

// Nothing can come from it that matters: its leg costs nothing more, though it never hangs up.
TEST_F(DropTest, AClientThatHasSaidCloseIsNotWaitedFor) {
  StartGuard({.upstream = origin_.url(), .session = "key: \"{path.user}\", close_timeout: 60s"});
  Ends ends = Open();
  ends.client.SendClose(1000);
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  guard().AwaitMetric("connguard_connections", "", 0);
  ExpectFin(ends.client);
  ExpectClosedWith(ends.origin, 1000);
}

// A close() with something unread would be a reset, and take the answer with it.
TEST_F(DropTest, WhatComesWithACloseDoesNotResetItsAnswer) {
  StartGuard();
  Ends ends = Open();
  ends.client.Send(ends.client.MakeFrame({.opcode = 8}, "\x03\xE8") +
                   ends.client.MakeFrame({.opcode = 1}, std::string(100'000, 'x')));
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  ExpectFin(ends.client);
  ExpectClosedWith(ends.origin, 1000);
}

TEST_F(DropTest, AnEmptyCloseStaysEmpty) {
  StartGuard();
  Ends ends = Open();
  ends.client.SendClose(0);
  EXPECT_EQ(ends.client.ReadFrame().payload, "");
  ExpectFin(ends.client);
  const WireFrame close = ends.origin.ReadFrame();
  EXPECT_EQ(close.first, 0x88);
  EXPECT_EQ(close.payload, "");
  ends.origin.SendClose(0);
  ExpectFin(ends.origin);
}

TEST_F(DropTest, ACloseBehindAnAnsweredTurnGoesThrough) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  ends.client.SendClose(4002, "done");
  EXPECT_EQ(ends.client.ReadClose(), 4002);
  ExpectClosedWith(ends.origin, 4002, "done");
}

TEST_F(DropTest, FinBetweenTurnsIsGoingAwayForTheUpstream) {
  StartGuard();
  Ends ends = Open();
  ends.client.Finish();
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(DropTest, ResetBetweenTurnsIsGoingAwayForTheUpstream) {
  StartGuard();
  Ends ends = Open();
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(DropTest, ACloseInMidTurnIsAnsweredAtOnceAndTheUpstreamWorksOn) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.SendClose(1000);
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  ExpectFin(ends.client);
  guard().AwaitTunnels("shielded", 1);
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendPing("alive?");
  const WireFrame pong = ends.origin.ReadFrame();
  EXPECT_EQ(pong.first, 0x8A);
  EXPECT_EQ(pong.payload, "alive?");
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1000);
}

TEST_F(DropTest, AnApplicationsOwnCodeInMidTurnBecomesANormalEnd) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.SendClose(4003, "its own");
  EXPECT_EQ(ends.client.ReadClose(), 4003);
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1000);
}

TEST_F(DropTest, GoingAwayInMidTurnStaysGoingAway) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.SendClose(1001);
  EXPECT_EQ(ends.client.ReadClose(), 1001);
  guard().AwaitTunnels("shielded", 1);
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(DropTest, AClientThatVanishesInMidTurnIsGoingAwayAfterTheAnswer) {
  StartGuard();
  for (const bool reset : {false, true}) {
    Ends ends = OpenInTurn(reset ? "/ws/reset" : "/ws/fin");
    if (reset) {
      ends.client.Reset();
    } else {
      ends.client.Finish();
    }
    guard().AwaitTunnels("shielded", 1);
    EXPECT_TRUE(ends.origin.Silent());
    ends.origin.SendText("answer");
    ExpectClosedWith(ends.origin, 1001);
    guard().AwaitTunnels("shielded", 0);
  }
}

TEST_F(DropTest, WhatAShieldedUpstreamSaysIsReadHoweverMuch) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: {json: /type, in: [chat]}, linger: 0}"});
  Ends ends = OpenInTurn();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  // Far more than limits.buffer and both socket buffers.
  const std::string token =
      R"({"type":"chat_token","content":")" + std::string(60'000, 'x') + "\"}";
  for (int i = 0; i < 300; ++i) ends.origin.SendText(token);
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText(R"({"type":"chat"})");
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(DropTest, ThreeMessagesInFlightNeedThreeAnswers) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.SendText("second");
  ends.client.SendText("third");
  EXPECT_EQ(ends.origin.ReadText(), "second");
  EXPECT_EQ(ends.origin.ReadText(), "third");
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  ends.origin.SendText("answer 1");
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer 2");
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer 3");
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(DropTest, TheCloseFollowsTheFinalMessageAfterLinger) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: each-answer, linger: 300ms}"});
  Ends ends = OpenInTurn();
  ends.client.SendClose(1000);
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  guard().AwaitTunnels("shielded", 1);
  const Stopwatch since;
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.origin.ReadClose(), 1000);
  EXPECT_GE(since.elapsed(), 299ms);
  EXPECT_LT(since.elapsed(), 5s);
}

TEST_F(DropTest, OurFinComesRightAfterThePeersClose) {
  StartGuard({.upstream = origin_.url(),
              .session = "key: \"{path.user}\", settle: 0, close_timeout: 15s"});
  Ends ends = OpenInTurn();
  ends.client.Reset();
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  EXPECT_TRUE(ends.origin.Silent());  // not before the peer's
  const Stopwatch since;
  ends.origin.SendClose(1001);
  ExpectFin(ends.origin);
  EXPECT_LT(since.elapsed(), 5s);
}

TEST_F(DropTest, ATurnThatLastsLongerThanMaxIsGivenUp) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: each-answer, max: 400ms, linger: 0}"});
  const Stopwatch since;
  Ends ends = OpenInTurn();
  ends.client.Reset();
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  EXPECT_GE(since.elapsed(), 399ms);
}

TEST_F(DropTest, SilenceEndsATurnOfTheQuietProfileOnceAMessageCame) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: quiet, quiet: 200ms, linger: 0}"});
  Ends ends = OpenInTurn();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  EXPECT_TRUE(ends.origin.Silent(500ms));  // a slow first token is no silence
  const Stopwatch since;
  ends.origin.SendText("token");
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  EXPECT_GE(since.elapsed(), 199ms);
}

TEST_F(DropTest, OnDropCloseClosesInMidTurn) {
  StartGuard({.upstream = origin_.url(),
              .session = "key: \"{path.user}\", settle: 0, close_timeout: 2s, on_drop: close"});
  Ends ends = OpenInTurn();
  ends.client.Reset();
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(DropTest, AnUpstreamThatNeverAnswersOurCloseIsReset) {
  StartGuard({.upstream = origin_.url(),
              .session = "key: \"{path.user}\", settle: 0, close_timeout: 300ms"});
  Ends ends = Open();
  ends.client.Reset();
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  const Stopwatch since;
  PeerEnd end = PeerEnd::kFin;
  EXPECT_EQ(ends.origin.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kReset);
  EXPECT_GE(since.elapsed(), 250ms);
}

TEST_F(DropTest, AFrameThatWasCutIsNotFollowedByAClose) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: each-answer, max: 300ms, linger: 0}"});
  Ends ends = Open();
  const std::string frame = ends.client.MakeFrame({.opcode = 1}, std::string(1000, 'x'));
  ends.client.Send(frame.substr(0, 500));
  EXPECT_EQ(ends.origin.Read(500), frame.substr(0, 500));
  ends.client.Reset();
  ExpectFin(ends.origin);
}

}  // namespace
}  // namespace connguard::testing
