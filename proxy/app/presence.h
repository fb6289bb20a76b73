// Presence: what a client connection counts for, as long as it is there.
#pragma once

#include <functional>
#include <utility>

namespace connguard {

// Runs its function when it is destroyed. Travels with the client's Conn from session to session,
// so that gauges and limits count sockets, whoever holds them.
class Presence {
 public:
  explicit Presence(std::function<void()> leave) : leave_(std::move(leave)) {}
  ~Presence() { leave_(); }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  std::function<void()> leave_;
};

}  // namespace connguard
