// Fence with one holder: takeover and reject.
#include "connguard/fence.h"

#include "fence_fixture.h"

namespace connguard {
namespace {

TEST_F(FenceTest, TheFirstClientIsGrantedAtOnceWhateverItsPolicy) {
  unsigned epoch = 0;
  for (const OnConflict policy : {kTakeover, kReject, kShare}) {
    EXPECT_EQ(Acquire(kOld, policy), Effects{Grant(kOld, ++epoch)});
    EXPECT_EQ(fence_.state(), State::kHeld);
    EXPECT_EQ(Release(epoch), Effects{});
    EXPECT_TRUE(fence_.free());
  }
}

TEST_F(FenceTest, ReconnectWaitsUntilTheOldUpstreamIsReleased) {
  for (const OnConflict policy : {kTakeover, kReject, kShare}) {
    const unsigned old_epoch = epochs_ + 1;
    EXPECT_EQ(Acquire(kOld, policy), Effects{Grant(kOld, old_epoch)});
    EXPECT_EQ(Dropped(old_epoch), Effects{});
    EXPECT_EQ(fence_.state(), State::kFinishing);
    EXPECT_EQ(Acquire(kNew, policy), Effects{});
    EXPECT_EQ(fence_.state(), State::kContended);
    EXPECT_EQ(Release(old_epoch), Effects{Grant(kNew, old_epoch + 1)});
    EXPECT_EQ(fence_.state(), State::kHeld);
    EXPECT_EQ(Release(old_epoch + 1), Effects{});
    EXPECT_TRUE(fence_.free());
  }
}

TEST_F(FenceTest, ATakeoverEvictsTheHolderAndWaitsForItsRelease) {
  Acquire(kOld, kTakeover);
  EXPECT_EQ(Acquire(kNew, kTakeover), Effects{Evict(kOld, 1)});
  EXPECT_EQ(Dropped(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kContended);
  EXPECT_EQ(Release(1), Effects{Grant(kNew, 2)});
}

TEST_F(FenceTest, AnEvictedHolderIsEvictedOnce) {
  Acquire(kOld, kTakeover);
  Acquire(kNew, kTakeover);
  EXPECT_EQ(Acquire(kNewest, kTakeover), Effects{Supersede(kNew)});
}

TEST_F(FenceTest, TheNewestWaiterReplacesTheOneBefore) {
  Acquire(kOld, kTakeover);
  Dropped(1);
  Acquire(kNew, kTakeover);
  EXPECT_EQ(Acquire(kNewest, kTakeover), Effects{Supersede(kNew)});
  EXPECT_EQ(Release(1), Effects{Grant(kNewest, 3)});
}

TEST_F(FenceTest, ThirtyTwoRacingReconnectsCostOneSession) {
  Acquire(kOld, kTakeover);
  Dropped(1);
  for (std::uint64_t i = 0; i < 32; ++i) {
    const Effects expected = i == 0 ? Effects{} : Effects{Supersede({0, 99 + i})};
    EXPECT_EQ(Acquire({0, 100 + i}, kTakeover), expected);
  }
  EXPECT_EQ(Release(1), Effects{Grant({0, 131}, 33)});
}

TEST_F(FenceTest, AWaiterThatLeavesIsForgotten) {
  Acquire(kOld, kTakeover);
  Dropped(1);
  Acquire(kNew, kTakeover);
  EXPECT_EQ(Abandon(kNew), Effects{});
  EXPECT_EQ(fence_.state(), State::kFinishing);
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_TRUE(fence_.free());
}

TEST_F(FenceTest, LeavingDoesNotHurtANewerWaiter) {
  Acquire(kOld, kTakeover);
  Dropped(1);
  Acquire(kNew, kTakeover);
  Acquire(kNewest, kTakeover);
  EXPECT_EQ(Abandon(kNew), Effects{});
  EXPECT_EQ(Release(1), Effects{Grant(kNewest, 3)});
}

TEST_F(FenceTest, LeavingAfterTheGrantChangesNothing) {
  Acquire(kOld, kTakeover);
  EXPECT_EQ(Abandon(kOld), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
  EXPECT_EQ(Release(1), Effects{});
}

TEST_F(FenceTest, ALateReleaseDoesNotFreeTheSuccessor) {
  Acquire(kOld, kTakeover);
  Release(1);
  Acquire(kNew, kTakeover);
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
  EXPECT_EQ(Dropped(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
}

TEST_F(FenceTest, ADropToldTwiceIsOneDrop) {
  Acquire(kOld, kTakeover);
  Dropped(1);
  EXPECT_EQ(Dropped(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kFinishing);
}

TEST_F(FenceTest, ARejectingNewcomerHasTheHolderProbed) {
  Acquire(kOld, kReject);
  EXPECT_EQ(Acquire(kNew, kReject), Effects{Probe(kOld, 1)});
  EXPECT_EQ(fence_.state(), State::kProbing);
  EXPECT_EQ(Answered(1), Effects{Conflict(kNew)});
  EXPECT_EQ(fence_.state(), State::kHeld);
}

TEST_F(FenceTest, AHalfOpenSocketDoesNotLockItsOwnUserOut) {
  Acquire(kOld, kReject);
  Acquire(kNew, kReject);
  EXPECT_EQ(Dropped(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kContended);
  EXPECT_EQ(Answered(1), Effects{});
  EXPECT_EQ(Release(1), Effects{Grant(kNew, 2)});
}

TEST_F(FenceTest, AHolderThatEndsWhileProbedMakesRoomAtOnce) {
  Acquire(kOld, kReject);
  Acquire(kNew, kReject);
  EXPECT_EQ(Release(1), Effects{Grant(kNew, 2)});
}

TEST_F(FenceTest, ANewerRejectingNewcomerInheritsTheProbe) {
  Acquire(kOld, kReject);
  Acquire(kNew, kReject);
  EXPECT_EQ(Acquire(kNewest, kReject), Effects{Supersede(kNew)});
  EXPECT_EQ(Answered(1), Effects{Conflict(kNewest)});
}

TEST_F(FenceTest, AnAnswerToAProbeWhoseAskerHasLeftIsIgnored) {
  Acquire(kOld, kReject);
  Acquire(kNew, kReject);
  EXPECT_EQ(Abandon(kNew), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
  EXPECT_EQ(Answered(1), Effects{});
}

TEST_F(FenceTest, ATakeoverDoesNotWaitForAProbe) {
  Acquire(kOld, kReject);
  Acquire(kNew, kReject);
  EXPECT_EQ(Acquire(kNewest, kTakeover), (Effects{Supersede(kNew), Evict(kOld, 1)}));
  EXPECT_EQ(Answered(1), Effects{});
  EXPECT_EQ(Release(1), Effects{Grant(kNewest, 3)});
}

TEST_F(FenceTest, AFreeFenceIgnoresWhatIsStale) {
  EXPECT_EQ(Abandon(kOld), Effects{});
  EXPECT_EQ(Dropped(7), Effects{});
  EXPECT_EQ(Answered(7), Effects{});
  EXPECT_EQ(Release(7), Effects{});
  EXPECT_TRUE(fence_.free());
}

}  // namespace
}  // namespace connguard
