// Writes log lines to a descriptor that nobody may be reading.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace connguard {

// Used by one thread but for Expire() and lost(). Ignore or block SIGPIPE in the thread that
// writes.
class DescriptorSink {
 public:
  // `descriptor` may be blocking or not; it stays the caller's.
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}

  // Waits until the descriptor takes the line: one write, so that processes that share a pipe do
  // not mix their lines, unless the line is longer than PIPE_BUF. A line that fails is counted.
  void Write(std::string_view line);

  // From `deadline` on, Write() no longer waits.
  void Expire(std::chrono::steady_clock::time_point deadline);

  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  bool expired() const;
  // False: the line must be given up. WriteSome takes off `line` what was written.
  bool AwaitRoom() const;
  bool WriteSome(std::string_view& line);

  const int descriptor_;
  std::atomic<std::chrono::steady_clock::time_point> deadline_{
      std::chrono::steady_clock::time_point::max()};
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace connguard
