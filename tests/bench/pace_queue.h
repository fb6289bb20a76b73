// PaceQueue: what an origin sends at a pace, in the order in which it is due.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "bench/socket.h"

namespace connguard::bench {

class PaceQueue {
 public:
  struct Due {
    Clock::time_point at;
    std::uint32_t slot;
    std::uint64_t number;  // of the connection: its slot may be another's by then
  };

  explicit PaceQueue(Clock::duration pace) : pace_(pace) {}

  // One pace from now. As that is the same for all, the queue stays in order.
  void Add(Clock::time_point now, std::uint32_t slot, std::uint64_t number) {
    queue_.push_back({now + pace_, slot, number});
  }

  std::optional<Due> Next(Clock::time_point now) {
    if (queue_.empty() || queue_.front().at > now) return std::nullopt;
    const Due due = queue_.front();
    queue_.pop_front();
    return due;
  }

  // Until something is due.
  Clock::duration Patience() const {
    return queue_.empty() ? std::chrono::hours(1) : queue_.front().at - Clock::now();
  }

 private:
  const Clock::duration pace_;
  std::deque<Due> queue_;
};

}  // namespace connguard::bench
