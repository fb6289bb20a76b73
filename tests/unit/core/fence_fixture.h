// A fence, its tickets and its effects, in words.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

#include "connguard/fence.h"

namespace connguard {

inline void PrintTo(const FenceEffect& effect, std::ostream* out) {
  constexpr const char* kWords[] = {"Grant", "Supersede", "Conflict", "Evict", "Probe"};
  *out << kWords[static_cast<int>(effect.kind)] << "(ticket " << effect.ticket.connection
       << ", epoch " << static_cast<int>(effect.epoch) << ")";
}

class FenceTest : public testing::Test {
 protected:
  using Effects = std::vector<FenceEffect>;
  using State = Fence::State;

  static constexpr Ticket kOld{0, 1};
  static constexpr Ticket kNew{1, 2};
  static constexpr Ticket kNewest{2, 3};
  static constexpr OnConflict kTakeover = OnConflict::kTakeover;
  static constexpr OnConflict kReject = OnConflict::kReject;
  static constexpr OnConflict kShare = OnConflict::kShare;

  static FenceEffect Grant(Ticket ticket, unsigned epoch) {
    return {FenceEffect::Kind::kGrant, ticket, Epoch{epoch}};
  }
  static FenceEffect Supersede(Ticket ticket) {
    return {FenceEffect::Kind::kSupersede, ticket, Epoch::kNone};
  }
  static FenceEffect Conflict(Ticket ticket) {
    return {FenceEffect::Kind::kConflict, ticket, Epoch::kNone};
  }
  static FenceEffect Evict(Ticket ticket, unsigned epoch) {
    return {FenceEffect::Kind::kEvict, ticket, Epoch{epoch}};
  }
  static FenceEffect Probe(Ticket ticket, unsigned epoch) {
    return {FenceEffect::Kind::kProbe, ticket, Epoch{epoch}};
  }

  Effects Drain() {
    Effects effects;
    while (const auto effect = fence_.PollEffect()) effects.push_back(*effect);
    return effects;
  }
  // Each newcomer comes with the next epoch: 1, 2, …
  Effects Acquire(Ticket ticket, OnConflict policy) {
    fence_.Acquire(ticket, policy, Epoch{++epochs_});
    return Drain();
  }
  Effects Abandon(Ticket ticket) {
    fence_.Abandon(ticket);
    return Drain();
  }
  Effects Dropped(unsigned epoch) {
    fence_.Dropped(Epoch{epoch});
    return Drain();
  }
  Effects Answered(unsigned epoch) {
    fence_.Answered(Epoch{epoch});
    return Drain();
  }
  Effects Release(unsigned epoch) {
    fence_.Release(Epoch{epoch});
    return Drain();
  }

  unsigned epochs_ = 0;
  Fence fence_;
};

}  // namespace connguard
