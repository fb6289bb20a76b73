// Tunnel: ends by the upstream, the closing handshake, settle and barrier.
#include "connguard/tunnel.h"
#include "tunnel_fixture.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

TEST_F(TunnelTest, AnUpstreamsCloseIsAnsweredAndPassedOn) {
  Open();
  EXPECT_EQ(UpstreamCloses(), (Effects{kReply, EndClient(CloseCause::kUpstreamClosed), kDropped}));
  EXPECT_EQ(tunnel_->state(), State::kClosing);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamClosed), Effects{});
  EXPECT_EQ(Advance(100ms), Effects{kRelease});
  EXPECT_EQ(tunnel_->cause(), CloseCause::kUpstreamClosed);
}

TEST_F(TunnelTest, AnUpstreamThatDiesEndsItsClient) {
  for (const CloseCause cause : {CloseCause::kUpstreamLost, CloseCause::kUpstreamReset,
                                 CloseCause::kUpstreamTimeout, CloseCause::kUpstreamUnreachable}) {
    OpenBusy();
    EXPECT_EQ(UpstreamGone(cause), (Effects{EndClient(cause), kDropped}));
    EXPECT_EQ(tunnel_->state(), State::kSettling);
    EXPECT_EQ(tunnel_->cause(), cause);
  }
}

TEST_F(TunnelTest, AnUpstreamThatBreaksARuleIsToldAndEndsItsClient) {
  Open();
  EXPECT_EQ(UpstreamFault(CloseCause::kUpstreamProtocol),
            (Effects{CloseUpstream(CloseCode::kProtocolError),
                     EndClient(CloseCause::kUpstreamProtocol), kDropped}));
  EXPECT_EQ(UpstreamFault(CloseCause::kUpstreamProtocol), Effects{kReset});
}

TEST_F(TunnelTest, AClientEndedForItsUpstreamIsNotToldAgainAsGone) {
  Open();
  UpstreamGone(CloseCause::kUpstreamLost);
  EXPECT_TRUE(tunnel_->client_gone());
  EXPECT_EQ(ClientGone(CloseCause::kClientReset), Effects{});
  EXPECT_EQ(tunnel_->cause(), CloseCause::kUpstreamLost);
}

TEST_F(TunnelTest, AnUpstreamThatDoesNotFinishTheHandshakeIsReset) {
  Open();
  ClientCloses(CloseCode::kNormal);
  EXPECT_EQ(Advance(4s), Effects{});
  EXPECT_EQ(UpstreamCloses(), Effects{});
  EXPECT_EQ(tunnel_->NextTimeout(), now_ + 1s);
  EXPECT_EQ(Advance(1s), Effects{kReset});
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamReset), Effects{});
  EXPECT_EQ(Advance(99ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kRelease});
}

TEST_F(TunnelTest, TheKeyIsFreeOnlyAfterTheSettlePause) {
  Open();
  ClientCloses(CloseCode::kNormal);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamClosed), Effects{});
  EXPECT_EQ(Advance(99ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kRelease});
  EXPECT_EQ(tunnel_->NextTimeout(), kNever);
}

TEST_F(TunnelTest, WithoutSettleTheKeyIsFreeAtOnce) {
  policy_.settle = 0ms;
  Open();
  ClientCloses(CloseCode::kNormal);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamClosed), Effects{kRelease});
}

TEST_F(TunnelTest, TheBarrierMustBeAnsweredBeforeTheKeyIsFree) {
  policy_.barrier = true;
  Open();
  ClientCloses(CloseCode::kNormal);
  UpstreamGone(CloseCause::kUpstreamClosed);
  EXPECT_EQ(Advance(100ms), Effects{kBarrier});
  EXPECT_EQ(Advance(1s), Effects{});
  tunnel_->BarrierPassed(now_);
  EXPECT_EQ(Drain(), Effects{kRelease});
  EXPECT_EQ(tunnel_->state(), State::kOver);
}

TEST_F(TunnelTest, ABarrierWithoutAnswerIsPassedByTime) {
  policy_.barrier = true;
  policy_.settle = 0ms;
  Open();
  ClientCloses(CloseCode::kNormal);
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamClosed), Effects{kBarrier});
  EXPECT_EQ(Advance(4'999ms), Effects{});
  EXPECT_EQ(Advance(1ms), Effects{kRelease});
}

TEST_F(TunnelTest, ABarriersAnswerCountsOnlyWhileItIsAskedFor) {
  policy_.barrier = true;
  Open();
  tunnel_->BarrierPassed(now_);
  ClientCloses(CloseCode::kNormal);
  tunnel_->BarrierPassed(now_);
  UpstreamGone(CloseCause::kUpstreamClosed);
  tunnel_->BarrierPassed(now_);
  EXPECT_EQ(tunnel_->state(), State::kSettling);
}

TEST_F(TunnelTest, WhatIsOverStaysOver) {
  UpstreamGone(CloseCause::kUpstreamUnreachable);
  Ready();
  tunnel_->ClientMessage(now_);
  EXPECT_EQ(Answer(true), Effects{});
  EXPECT_EQ(UpstreamCloses(), Effects{});
  EXPECT_EQ(UpstreamFault(CloseCause::kUpstreamProtocol), Effects{});
  EXPECT_EQ(UpstreamGone(CloseCause::kUpstreamLost), Effects{});
  EXPECT_EQ(ClientGone(CloseCause::kClientLost), Effects{});
  EXPECT_EQ(Advance(1h), Effects{});
  EXPECT_EQ(tunnel_->state(), State::kOver);
  EXPECT_EQ(tunnel_->NextTimeout(), kNever);
}

}  // namespace
}  // namespace connguard
