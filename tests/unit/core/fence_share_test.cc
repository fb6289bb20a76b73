// Fence with several holders, and policies that meet on one key.
#include "connguard/fence.h"
#include "fence_fixture.h"

namespace connguard {
namespace {

TEST_F(FenceTest, SharersLiveSideBySide) {
  Acquire(kOld, kShare);
  EXPECT_EQ(Acquire(kNew, kShare), Effects{Grant(kNew, 2)});
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
  EXPECT_EQ(Release(2), Effects{});
  EXPECT_TRUE(fence_.free());
}

TEST_F(FenceTest, ASharerWaitsOnlyForTheSessionThatIsFinishing) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Dropped(1);
  EXPECT_EQ(fence_.state(), State::kFinishing);
  EXPECT_EQ(Acquire(kNewest, kShare), Effects{});
  EXPECT_EQ(Release(1), Effects{Grant(kNewest, 3)});
  EXPECT_EQ(fence_.state(), State::kHeld);
}

TEST_F(FenceTest, ASharerStillWaitsWhenAnotherOneFinishes) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Dropped(1);
  Acquire(kNewest, kShare);
  EXPECT_EQ(Dropped(2), Effects{});
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kContended);
  EXPECT_EQ(Release(2), Effects{Grant(kNewest, 3)});
}

TEST_F(FenceTest, AReleaseWithoutWaiterLeavesTheOthersAsTheyAre) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Acquire(kNewest, kShare);
  Dropped(1);
  Dropped(2);
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kFinishing);
  EXPECT_EQ(Release(2), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
}

TEST_F(FenceTest, ATakeoverEvictsEverySharer) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  EXPECT_EQ(Acquire(kNewest, kTakeover), (Effects{Evict(kOld, 1), Evict(kNew, 2)}));
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(Release(2), Effects{Grant(kNewest, 3)});
}

TEST_F(FenceTest, HundredsOfSharersCanBeEvictedAtOnce) {
  Effects evictions;
  for (unsigned i = 1; i <= 500; ++i) {
    Acquire({0, i}, kShare);
    evictions.push_back(Evict({0, i}, i));
  }
  EXPECT_EQ(Acquire({0, 501}, kTakeover), evictions);
}

TEST_F(FenceTest, ATakeoverWhileOneFinishesEvictsThoseStillAlive) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Dropped(1);
  EXPECT_EQ(Acquire(kNewest, kTakeover), Effects{Evict(kNew, 2)});
}

TEST_F(FenceTest, ATakeoverThatReplacesAWaiterEvictsThoseStillAlive) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Dropped(1);
  Acquire(kNewest, kShare);
  EXPECT_EQ(Acquire({0, 4}, kTakeover), (Effects{Supersede(kNewest), Evict(kNew, 2)}));
}

TEST_F(FenceTest, ARejectingNewcomerProbesEverySharerAndOneAnswerRefusesIt) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  EXPECT_EQ(Acquire(kNewest, kReject), (Effects{Probe(kOld, 1), Probe(kNew, 2)}));
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(Answered(2), Effects{Conflict(kNewest)});
}

TEST_F(FenceTest, ARejectingWaiterAsksAgainWhenOnlyTheLivingAreLeft) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Dropped(1);
  EXPECT_EQ(Acquire(kNewest, kReject), Effects{});
  EXPECT_EQ(Release(1), Effects{Probe(kNew, 2)});
  EXPECT_EQ(fence_.state(), State::kProbing);
  EXPECT_EQ(Answered(2), Effects{Conflict(kNewest)});
}

TEST_F(FenceTest, OneDeadSharerMakesTheRejectingWaiterWaitForItsRelease) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Acquire(kNewest, kReject);
  EXPECT_EQ(Dropped(1), Effects{});
  EXPECT_EQ(Answered(2), Effects{});
  EXPECT_EQ(Release(1), Effects{Probe(kNew, 2)});
}

TEST_F(FenceTest, ASharingNewcomerIsNotRefusedByAnotherOnesProbe) {
  Acquire(kOld, kShare);
  Acquire(kNew, kReject);
  EXPECT_EQ(Acquire(kNewest, kShare), (Effects{Supersede(kNew), Grant(kNewest, 3)}));
  EXPECT_EQ(fence_.state(), State::kHeld);
}

TEST_F(FenceTest, AWaiterThatLeavesSharersBehindIsForgotten) {
  Acquire(kOld, kShare);
  Acquire(kNew, kShare);
  Dropped(1);
  Acquire(kNewest, kShare);
  EXPECT_EQ(Abandon(kNewest), Effects{});
  EXPECT_EQ(fence_.state(), State::kFinishing);
  EXPECT_EQ(Release(1), Effects{});
  EXPECT_EQ(fence_.state(), State::kHeld);
}

}  // namespace
}  // namespace connguard
