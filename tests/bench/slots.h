// Slots: connections by a small number, which stays theirs until they end and is then used again.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace connguard::bench {

template <typename Connection>
class Slots {
 public:
  std::uint32_t Take() {
    ++used_;
    if (free_.empty()) {
      all_.emplace_back();
      return static_cast<std::uint32_t>(all_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void GiveBack(std::uint32_t slot) {
    all_[slot] = Connection();
    free_.push_back(slot);
    --used_;
  }

  // References stay valid while others come and go.
  Connection& operator[](std::uint32_t slot) { return all_[slot]; }
  std::size_t used() const { return used_; }

 private:
  std::deque<Connection> all_;
  std::vector<std::uint32_t> free_;
  std::size_t used_ = 0;
};

}  // namespace connguard::bench
