// What happens in the workers, as it happens, for whoever watches on the admin endpoints.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "admin/session_info.h"

namespace connguard {

struct AdminEvent {
  enum class Kind : std::uint8_t {
    kOpened,    // the client has the upstream's 101
    kState,     // the tunnel or one of its legs changed its state
    kDropped,   // the client is gone
    kShielded,  // in mid-turn
    kClosed,    // the upstream is over, the key is free
    kRefused,   // a client got an answer of our own
    kReload,
    kDrain,
  };
  Kind kind = Kind::kState;
  std::chrono::system_clock::time_point at{};
  SessionInfo session{};  // of a refusal: route, key and address only
  int status = 0;         // of a refusal
  std::string why{};      // of a refusal; what a reload or a drain has come to
};

// Workers publish only while somebody watches, so that it costs nothing otherwise.
class EventFeed {
 public:
  static constexpr std::size_t kWaiting = 4096;

  // Any thread.
  bool wanted() const { return watchers_.load(std::memory_order_relaxed) > 0; }

  // Any thread. When the reader is late, what comes last is lost, and counted.
  void Publish(AdminEvent event) {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() == kWaiting) {
        ++lost_;
        return;
      }
      if (waiting_.empty()) wake = wake_;
      waiting_.push_back(std::move(event));
    }
    if (wake) wake();
  }

  // The reader's side: called, from any thread, when something waits where nothing did.
  void SetWake(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  void AddWatchers(int change) { watchers_.fetch_add(change, std::memory_order_relaxed); }

  struct Batch {
    std::vector<AdminEvent> events;
    std::uint64_t lost = 0;  // after the last of them
  };
  Batch Take() {
    const std::lock_guard lock(mutex_);
    return {std::exchange(waiting_, {}), std::exchange(lost_, 0)};
  }

 private:
  std::atomic<int> watchers_{0};
  std::mutex mutex_;
  std::vector<AdminEvent> waiting_;
  std::uint64_t lost_ = 0;
  std::function<void()> wake_;
};

// One that happens now, for as much as its kind says.
inline AdminEvent EventNow(AdminEvent::Kind kind) {
  AdminEvent event;
  event.kind = kind;
  event.at = std::chrono::system_clock::now();
  return event;
}

// Of the process as a whole, by now. Any thread.
inline void Publish(EventFeed& feed, AdminEvent::Kind kind, std::string why) {
  if (!feed.wanted()) return;
  AdminEvent event = EventNow(kind);
  event.why = std::move(why);
  feed.Publish(std::move(event));
}

}  // namespace connguard
