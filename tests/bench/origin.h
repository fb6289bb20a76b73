// Origin: the backend behind the proxies that are measured; workload.h says what it serves.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/pace_queue.h"
#include "bench/slots.h"
#include "bench/socket.h"

namespace connguard::bench {

// HTTP/1.1 on 127.0.0.1, one thread, GET without bodies, one request at a time on a connection,
// which stays open for further ones.
class Origin {
 public:
  // `pace`: from one chunk of a stream to the next.
  Origin(std::uint16_t port, std::chrono::microseconds pace);

  std::uint16_t port() const { return LocalPort(listener_); }
  [[noreturn]] void Run();

 private:
  struct Connection {
    Fd fd;
    std::string input;
    std::size_t chunks_left = 0;
    std::uint64_t number = 0;  // of all that were accepted: its slot is used again
  };

  void AcceptAll();
  void OnReadable(std::uint32_t slot);
  void Answer(std::uint32_t slot, std::string_view head);
  void BeginStream(std::uint32_t slot);
  void SendDueChunks();
  void Send(std::uint32_t slot, std::string_view bytes);
  void Close(std::uint32_t slot);

  Fd listener_;
  Epoll epoll_;
  const std::string body_;  // whole answers and chunks, ready to be sent
  const std::string chunk_;
  Slots<Connection> connections_;
  PaceQueue chunks_;  // that wait for their time
  std::uint64_t accepted_ = 0;
  std::uint64_t requests_ = 0;
  std::array<char, 16 * 1024> buffer_{};
};

}  // namespace connguard::bench
