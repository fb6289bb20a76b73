// The system calls that the origin and the generator share; errors are exceptions.
#pragma once

#include <netinet/in.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace connguard::bench {

using Clock = std::chrono::steady_clock;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int value) : value_(value) {}
  Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return value_; }
  bool open() const { return value_ >= 0; }

 private:
  int value_ = -1;
};

// `127.0.0.1:8080`: an IPv4 address and a port.
sockaddr_in ParseAddress(const std::string& text);

// On 127.0.0.1; port 0 takes a free one.
Fd Listen(std::uint16_t port);
std::uint16_t LocalPort(const Fd& fd);

// The next waiting connection, or none.
Fd Accept(const Fd& listener);

// Waits for the connection, for a few seconds at most; it does not block afterwards.
Fd ConnectTo(const sockaddr_in& address);

// Sends all of it, in one system call. One message is outstanding at a time, so that a kernel that
// takes only a part of it means that the peer does not read: false, as for a connection that broke.
bool SendWhole(const Fd& fd, std::string_view bytes);

class Epoll {
 public:
  Epoll();

  void Add(const Fd& fd, std::uint32_t tag);  // a descriptor that is closed needs no removal
  void Watch(const Fd& fd, std::uint32_t tag, bool reads, bool writes);  // what it is watched for
  std::span<const epoll_event> Wait(Clock::duration patience);

 private:
  Fd fd_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace connguard::bench
