// Relay: a bare TCP proxy, and so the least that any proxy on one thread can cost: a yardstick.
#pragma once

#include <array>
#include <cstdint>

#include "bench/slots.h"
#include "bench/wire.h"

namespace connguard::bench {

// On 127.0.0.1. What one recv brings goes to the other side in one send, unread.
class Relay {
 public:
  Relay(std::uint16_t port, const sockaddr_in& to);

  std::uint16_t port() const { return LocalPort(listener_); }
  [[noreturn]] void Run();

 private:
  struct Side {
    Wire wire;
    std::uint32_t other = 0;  // its slot
    bool reads = true;
    bool writes = false;
  };

  void AcceptAll();
  std::uint32_t Add(Fd fd);
  void OnEvent(std::uint32_t slot, std::uint32_t events);
  void Settle(std::uint32_t slot);
  void End(std::uint32_t slot);

  Fd listener_;
  const sockaddr_in to_;
  Epoll epoll_;
  Slots<Side> sides_;
  std::array<char, 64 * 1024> buffer_{};
};

}  // namespace connguard::bench
