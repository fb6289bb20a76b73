// Tunnel: drops in mid-turn.
#include "connguard/tunnel.h"
#include "tunnel_fixture.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

TEST_F(TunnelTest, ADropInMidTurnLetsTheBackendFinish) {
  OpenBusy();
  EXPECT_EQ(ClientGone(CloseCause::kClientLost), Effects{kDropped});
  EXPECT_EQ(tunnel_->state(), State::kShielded);
  EXPECT_EQ(Advance(10s), Effects{});
  EXPECT_EQ(Answer(false), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kShielded);
  EXPECT_EQ(Answer(true), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kLingering);
  EXPECT_EQ(Advance(49ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
  EXPECT_FALSE(tunnel_->overdue());
}

TEST_F(TunnelTest, AllMessagesOfADroppedClientAreFinishedNotOnlyTheFirst) {
  OpenBusy();
  tunnel_->ClientMessage(now_);
  tunnel_->ClientMessage(now_);
  ClientGone(CloseCause::kClientReset);
  Answer(true);
  Answer(true);
  EXPECT_EQ(Advance(10s), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kShielded);
  Answer(true);
  EXPECT_EQ(tunnel_->state(), State::kLingering);
}

TEST_F(TunnelTest, ACleanCloseInMidTurnEndsNormallyWhateverItsCode) {
  for (const CloseCode code :
       {CloseCode{1000}, CloseCode{1011}, CloseCode{3000}, CloseCode::kNone}) {
    OpenBusy();
    EXPECT_EQ(ClientCloses(code), Effects{kDropped});
    Answer(true);
    EXPECT_EQ(Advance(50ms), Effects{CloseUpstream(CloseCode::kNormal)});
  }
}

TEST_F(TunnelTest, AClientGoingAwayInMidTurnIsGoingAway) {
  OpenBusy();
  ClientCloses(CloseCode::kGoingAway);
  Answer(true);
  EXPECT_EQ(Advance(50ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
}

TEST_F(TunnelTest, AClientEndedByTheGuardInMidTurnIsShieldedLikeADrop) {
  OpenBusy();
  EXPECT_EQ(ClientGone(CloseCause::kClientInvalid), Effects{kDropped});
  EXPECT_EQ(tunnel_->state(), State::kShielded);
}

TEST_F(TunnelTest, OnDropCloseDoesNotWaitForTheTurn) {
  policy_.on_drop = OnDrop::kClose;
  OpenBusy();
  EXPECT_EQ(ClientGone(CloseCause::kClientLost),
            (Effects{kDropped, CloseUpstream(CloseCode::kGoingAway)}));
}

TEST_F(TunnelTest, OnDropCloseStillLeavesAnIdleHandlerItsPause) {
  policy_.on_drop = OnDrop::kClose;
  OpenBusy();
  Answer(true);
  EXPECT_EQ(ClientGone(CloseCause::kClientLost), Effects{kDropped});
  EXPECT_EQ(Advance(50ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
}

TEST_F(TunnelTest, WithQuietASlowFirstTokenIsNotTheEnd) {
  turn_ = {.end = TurnEnd::kQuiet, .quiet = 2s, .max = 60s, .window = 0};
  OpenBusy();
  ClientGone(CloseCause::kClientLost);
  EXPECT_EQ(Advance(30s), Effects{});
  Answer(false);
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 2s);
  EXPECT_EQ(Advance(2s), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kLingering);
  EXPECT_EQ(Advance(50ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
}

TEST_F(TunnelTest, ALateTickCatchesUpWithEverythingThatIsDue) {
  turn_ = {.end = TurnEnd::kQuiet, .quiet = 2s, .max = 60s, .window = 0};
  OpenBusy();
  Answer(false);
  ClientGone(CloseCause::kClientLost);
  EXPECT_EQ(Advance(10s), Effects{CloseUpstream(CloseCode::kGoingAway)});
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 5s);
}

TEST_F(TunnelTest, AQuietThatPassedWhileTheClientWasHereCountsWhenItDrops) {
  turn_ = {.end = TurnEnd::kQuiet, .quiet = 2s, .max = 60s, .window = 0};
  OpenBusy();
  Answer(false);
  EXPECT_EQ(tunnel_->NextTimeout(), kNever);
  now_ += 5s;
  EXPECT_EQ(ClientCloses(CloseCode{3000}), (Effects{kDropped, CloseUpstream(CloseCode{3000})}));
}

TEST_F(TunnelTest, AShieldedTurnThatLastsTooLongIsGivenUp) {
  OpenBusy();
  ClientGone(CloseCause::kClientLost);
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 60s);
  EXPECT_EQ(Advance(60s), Effects{});
  EXPECT_TRUE(tunnel_->overdue());
  EXPECT_EQ(Advance(50ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
}

TEST_F(TunnelTest, AClientThatWaitsForTheWindowIsServedWhenTheTurnIsGivenUp) {
  turn_.window = 1;
  OpenBusy();
  EXPECT_FALSE(tunnel_->turn().open());
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 60s);
  EXPECT_EQ(Advance(60s), Effects{});
  EXPECT_TRUE(tunnel_->turn().open());
  EXPECT_EQ(tunnel_->state(), State::kOpen);
  EXPECT_FALSE(tunnel_->overdue());
}

TEST_F(TunnelTest, WhatTheUpstreamStillSaysWhileLingeringIsDiscarded) {
  OpenBusy();
  ClientGone(CloseCause::kClientLost);
  Answer(true);
  EXPECT_EQ(Advance(40ms), Effects{});
  EXPECT_EQ(Answer(true), Effects{});
  EXPECT_EQ(Advance(10ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
}

TEST_F(TunnelTest, AShieldedUpstreamMayEndItself) {
  OpenBusy();
  ClientGone(CloseCause::kClientLost);
  EXPECT_EQ(UpstreamCloses(), Effects{kReply});
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamClosed), Effects{});
  EXPECT_EQ(Advance(100ms), Effects{kRelease});
}

TEST_F(TunnelTest, AShieldedUpstreamMayDie) {
  OpenBusy();
  ClientGone(CloseCause::kClientLost);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamReset), Effects{});
  EXPECT_EQ(tunnel_->cause(), CloseCause::kClientLost);
  EXPECT_EQ(Advance(100ms), Effects{kRelease});
}

TEST_F(TunnelTest, AShieldedUpstreamThatBreaksARuleIsTold) {
  OpenBusy();
  ClientGone(CloseCause::kClientLost);
  EXPECT_EQ(UpstreamFault(CloseCause::kUpstreamTooBig),
            Effects{CloseUpstream(CloseCode::kMessageTooBig)});
}

TEST_F(TunnelTest, AnUpstreamMayCloseOrDieWhileLingering) {
  for (const bool closes : {true, false}) {
    OpenBusy();
    Answer(true);
    ClientGone(CloseCause::kClientLost);
    if (closes) {
      EXPECT_EQ(UpstreamCloses(), Effects{kReply});
    }
    EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamLost), Effects{});
    EXPECT_EQ(tunnel_->state(), State::kSettling);
  }
}

}  // namespace
}  // namespace connguard
