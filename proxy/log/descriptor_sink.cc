// Writes log lines to a descriptor that nobody may be reading.
#include "log/descriptor_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace connguard {
namespace {

// How long a waiting Write() takes to see that Expire() was called.
constexpr int kSliceMs = 50;

}  // namespace

bool DescriptorSink::expired() const {
  return std::chrono::steady_clock::now() >= deadline_.load(std::memory_order_relaxed);
}

bool DescriptorSink::AwaitRoom() const {
  for (;;) {
    const bool last_try = expired();
    pollfd entry{descriptor_, POLLOUT, 0};
    const int ready = poll(&entry, 1, last_try ? 0 : kSliceMs);
    // POLLERR, too: the write that follows says what is wrong.
    if (ready > 0) return true;
    if (last_try || (ready < 0 && errno != EINTR)) return false;
  }
}

bool DescriptorSink::WriteSome(std::string_view& line) {
  // A pipe that is ready takes PIPE_BUF bytes without blocking, and not more.
  const auto chunk = std::min<std::size_t>(line.size(), PIPE_BUF);
  const ssize_t written = write(descriptor_, line.data(), chunk);
  if (written >= 0) {
    line.remove_prefix(static_cast<std::size_t>(written));
    return true;
  }
  // EAGAIN: another process was quicker.
  return errno == EINTR || (errno == EAGAIN && !expired());
}

void DescriptorSink::Write(std::string_view line) {
  while (!line.empty()) {
    if (!AwaitRoom() || !WriteSome(line)) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
}

void DescriptorSink::Expire(std::chrono::steady_clock::time_point deadline) {
  deadline_.store(deadline, std::memory_order_relaxed);
}

}  // namespace connguard
