// First-in first-out queues for the effects of a machine.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "connguard/give_back.h"

namespace connguard {

// Holds at most N effects between two drains; overflowing it is a programmer's error. No
// allocation.
template <typename Effect, std::size_t N>
class EffectQueue {
  static_assert(N < 128);

 public:
  void Push(const Effect& effect) {
    assert(size_ < N);
    ring_[(std::size_t{head_} + size_) % N] = effect;
    ++size_;
  }

  std::optional<Effect> Poll() {
    if (size_ == 0) return std::nullopt;
    Effect effect = ring_[head_];
    head_ = static_cast<std::uint8_t>((head_ + 1U) % N);
    --size_;
    return effect;
  }

 private:
  std::array<Effect, N> ring_{};
  std::uint8_t head_ = 0;
  std::uint8_t size_ = 0;
};

// For a machine whose effects have no small bound. Gives its memory back once it is drained.
template <typename Effect>
class GrowingEffectQueue {
 public:
  void Push(const Effect& effect) { effects_.push_back(effect); }

  std::optional<Effect> Poll() {
    if (next_ == effects_.size()) return std::nullopt;
    Effect effect = effects_[next_++];
    if (next_ == effects_.size()) {
      GiveBack(effects_);
      next_ = 0;
    }
    return effect;
  }

 private:
  std::vector<Effect> effects_;
  std::size_t next_ = 0;
};

}  // namespace connguard
