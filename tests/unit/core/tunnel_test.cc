// Tunnel: the dial, and drops between turns.
#include "connguard/tunnel.h"

#include "tunnel_fixture.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

TEST_F(TunnelTest, TheUpstreams101OpensTheTunnel) {
  EXPECT_EQ(tunnel_->state(), State::kDialing);
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 30s);
  EXPECT_EQ(Ready(), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kOpen);
  EXPECT_EQ(tunnel_->NextTimeout(), kNever);
}

TEST_F(TunnelTest, AnUpstreamThatDoesNotAnswerIsResetAndItsClientTold) {
  EXPECT_EQ(Advance(29'999ms), Effects{});
  EXPECT_EQ(Advance(1ms),
            (Effects{kReset, EndClient(CloseCause::kUpstreamHandshakeTimeout), kDropped}));
  EXPECT_EQ(tunnel_->cause(), CloseCause::kUpstreamHandshakeTimeout);
  EXPECT_TRUE(tunnel_->client_gone());
  EXPECT_EQ(Advance(100ms), Effects{kRelease});
  EXPECT_EQ(tunnel_->state(), State::kOver);
}

TEST_F(TunnelTest, AnUnreachableUpstreamFreesTheKeyAtOnce) {
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamUnreachable),
            (Effects{EndClient(CloseCause::kUpstreamUnreachable), kRelease}));
  EXPECT_EQ(tunnel_->state(), State::kOver);
}

TEST_F(TunnelTest, ARefusalSettlesLikeASession) {
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamRefused),
            (Effects{EndClient(CloseCause::kUpstreamRefused), kDropped}));
  EXPECT_EQ(Advance(99ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kRelease});
}

TEST_F(TunnelTest, AHandshakeThatIsNoHttpIsReset) {
  EXPECT_EQ(UpstreamFault(CloseCause::kUpstreamProtocol),
            (Effects{kReset, EndClient(CloseCause::kUpstreamProtocol), kDropped}));
}

TEST_F(TunnelTest, AHandshakeIsFinishedWhenItsClientHasLeftThenClosed) {
  EXPECT_EQ(ClientGone(CloseCause::kClientLost), Effects{kDropped});
  EXPECT_EQ(tunnel_->state(), State::kOrphaned);
  now_ += 2s;
  EXPECT_EQ(Ready(), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kLingering);
  EXPECT_EQ(Advance(49ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{CloseUpstream(CloseCode::kNormal)});
}

TEST_F(TunnelTest, AnOrphanedHandshakeEndsByItsTimeout) {
  Advance(10s);
  ClientGone(CloseCause::kClientReset);
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 20s);
  EXPECT_EQ(Advance(20s), Effects{kReset});
  EXPECT_EQ(tunnel_->cause(), CloseCause::kClientReset);
  EXPECT_EQ(Advance(100ms), Effects{kRelease});
}

TEST_F(TunnelTest, AnOrphanedHandshakeThatFailsSettles) {
  ClientGone(CloseCause::kClientReset);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamRefused), Effects{});
  EXPECT_EQ(Advance(100ms), Effects{kRelease});
}

TEST_F(TunnelTest, AnOrphanWithoutUpstreamIsOverAtOnce) {
  ClientGone(CloseCause::kClientReset);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamUnreachable), Effects{kRelease});
}

TEST_F(TunnelTest, BetweenTurnsTheClientsCodeGoesThrough) {
  for (const CloseCode code : {CloseCode{1000}, CloseCode{1001}, CloseCode{1012}, CloseCode{1014},
                               CloseCode{3000}, CloseCode{4999}, CloseCode::kNone}) {
    Open();
    EXPECT_EQ(ClientCloses(code), (Effects{kDropped, CloseUpstream(code)}));
    EXPECT_EQ(tunnel_->state(), State::kClosing);
  }
}

TEST_F(TunnelTest, ACodeThatMayNotBeSentBecomesANormalEnd) {
  for (const CloseCode code :
       {CloseCode{0}, CloseCode{999}, CloseCode{1004}, CloseCode{1006}, CloseCode{1015},
        CloseCode{1016}, CloseCode{2999}, CloseCode{5000}}) {
    Open();
    EXPECT_EQ(ClientCloses(code), (Effects{kDropped, CloseUpstream(CloseCode::kNormal)}));
  }
}

TEST_F(TunnelTest, AVanishedClientIsGoingAway) {
  for (const CloseCause cause : {CloseCause::kClientLost, CloseCause::kClientReset,
                                 CloseCause::kClientTimeout, CloseCause::kSuperseded}) {
    Open();
    EXPECT_EQ(ClientGone(cause), (Effects{kDropped, CloseUpstream(CloseCode::kGoingAway)}));
    EXPECT_EQ(tunnel_->cause(), cause);
  }
}

TEST_F(TunnelTest, ADropRightBehindTheFinalMessageLeavesTheHandlerItsPause) {
  OpenBusy();
  EXPECT_EQ(Answer(true), Effects{});
  now_ += 20ms;
  EXPECT_EQ(ClientCloses(CloseCode::kNormal), Effects{kDropped});
  EXPECT_EQ(tunnel_->state(), State::kLingering);
  EXPECT_EQ(Advance(29ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{CloseUpstream(CloseCode::kNormal)});
}

TEST_F(TunnelTest, ADropRightBehindThe101LeavesTheHandlerItsPause) {
  Ready();
  now_ += 10ms;
  EXPECT_EQ(ClientGone(CloseCause::kClientReset), Effects{kDropped});
  EXPECT_EQ(Advance(39ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{CloseUpstream(CloseCode::kGoingAway)});
}

TEST_F(TunnelTest, WhatIsToldOfAGoneClientDoesNotChangeTheCode) {
  Open();
  tunnel_->ClientMessage(now_);
  Answer(true);
  ClientCloses(CloseCode{3000});
  EXPECT_EQ(ClientGone(CloseCause::kClientReset), Effects{});
  EXPECT_EQ(Advance(50ms), Effects{CloseUpstream(CloseCode{3000})});
}

TEST_F(TunnelTest, AClientIsGoneOnce) {
  Open();
  ClientCloses(CloseCode::kNormal);
  EXPECT_EQ(ClientGone(CloseCause::kClientReset), Effects{});
  EXPECT_EQ(tunnel_->cause(), CloseCause::kClientClosed);
}

}  // namespace
}  // namespace connguard
