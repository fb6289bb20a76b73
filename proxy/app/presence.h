// Presence: what a client connection counts for, as long as it is there.
#pragma once

#include <utility>

namespace connguard {

// Calls its function when it is destroyed. Travels with the client's Conn from session to session,
// so that gauges count sockets, whoever holds them.
class Presence {
 public:
  using Leave = void (*)(void* whose) noexcept;

  Presence() = default;
  Presence(Leave leave, void* whose) : leave_(leave), whose_(whose) {}
  ~Presence() {
    if (leave_ != nullptr) leave_(whose_);
  }
  Presence(Presence&& other) noexcept
      : leave_(std::exchange(other.leave_, nullptr)), whose_(other.whose_) {}
  Presence& operator=(Presence&& other) noexcept {
    std::swap(leave_, other.leave_);
    std::swap(whose_, other.whose_);
    return *this;
  }

 private:
  Leave leave_ = nullptr;
  void* whose_ = nullptr;
};

}  // namespace connguard
