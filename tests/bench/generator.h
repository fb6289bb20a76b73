// Generator: asks for the same thing again and again on a number of connections.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/answer_reader.h"
#include "bench/figures.h"
#include "bench/socket.h"

namespace connguard::bench {

struct LoadPlan {
  sockaddr_in to{};
  std::string_view target;
  bool chunked = false;       // what every answer must be …
  std::size_t body_size = 0;  // … and hold
  std::size_t connections = 1;
  std::chrono::duration<double> duration{1};
};

// A closed loop: each connection has one request outstanding, and sends the next one when the
// answer is there. Every request that was sent is waited for, for some seconds at most.
class Generator {
 public:
  explicit Generator(const LoadPlan& plan);

  LoadFigures Run();

 private:
  struct Connection {
    Fd fd;
    AnswerReader reader;
  };

  void Open(std::uint32_t index);
  void Request(std::uint32_t index);
  void OnReadable(std::uint32_t index);
  void OnAnswer(std::uint32_t index);
  void Close(std::uint32_t index);
  void Fail(std::uint32_t index, std::string_view error);

  const LoadPlan plan_;
  const std::string request_;
  Epoll epoll_;
  std::vector<Connection> connections_;
  std::size_t open_ = 0;  // connections; each waits for an answer
  bool stopping_ = false;
  LoadFigures figures_;
  std::array<char, 64 * 1024> buffer_{};
};

}  // namespace connguard::bench
