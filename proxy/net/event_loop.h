// EventLoop: one worker's epoll loop, its timing wheel and its clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "connguard/types.h"
#include "net/timing_wheel.h"

struct epoll_event;

namespace connguard {

// EventLoop tells of descriptors. Interest is changed lazily: one epoll_ctl per descriptor and turn
// at most, none when a change is taken back within the turn.
//
// Owned by one thread; not thread-safe. Callbacks may watch, change and forget any descriptor, also
// their own; an event of a descriptor that was forgotten (or reused) earlier in the batch is
// skipped.
class EventLoop {
 public:
  using FdCallback = void (*)(void* context, int fd, std::uint32_t events) noexcept;
  static constexpr Millis kLongestWait{60'000};
  // Called before every wait; returns the longest wait that it allows.
  using PrepareCallback = Millis (*)(void* context) noexcept;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // `events`: EPOLLIN, EPOLLOUT, EPOLLEXCLUSIVE; errors and hang-ups are always told. With EPOLLET
  // only what is new is told, and EPOLLRDHUP comes with EPOLLIN.
  void Watch(int fd, std::uint32_t events, FdCallback callback, void* context);
  void Change(int fd, std::uint32_t add, std::uint32_t remove);
  // `closing`: the descriptor is closed before the next wait, which takes it out of epoll by
  // itself.
  void Forget(int fd, bool closing);
  // Another one once the descriptor was forgotten: by it a callback knows, behind a call that may
  // have closed the descriptor, whether it is still the same.
  std::uint32_t generation(int fd) const {
    return entries_[static_cast<std::size_t>(fd)].generation;
  }
  // For EPOLLET: tells what there is once more, in the next turn.
  void TellAgain(int fd);

  void SetPrepare(PrepareCallback callback, void* context);
  void Run();
  void Stop() { stop_ = true; }

  // The time of this turn, read once after each wait.
  TimePoint now() const { return now_; }
  TimingWheel& timers() { return timers_; }
  // How late this turn served the timers that woke it up, or that had to wait for the turn before;
  // nullopt: none was due.
  std::optional<std::chrono::nanoseconds> lag() const { return lag_; }

 private:
  struct Entry {
    FdCallback callback = nullptr;  // null: not watched
    void* context = nullptr;
    std::uint32_t generation = 0;
    std::uint8_t wanted = 0;      // EPOLLIN, EPOLLOUT
    std::uint8_t applied = 0;     // kUnknown: what epoll knows is to be said again
    bool exclusive : 1 = false;   // EPOLLEXCLUSIVE
    bool edge : 1 = false;        // EPOLLET
    bool registered : 1 = false;  // known to epoll
    bool dirty : 1 = false;       // listed in dirty_
  };
  static_assert(sizeof(Entry) == 24, "there is one for each descriptor");

  void MarkDirty(int fd, Entry& entry);
  void Apply();
  std::chrono::nanoseconds LongestWait();
  int Wait(std::span<epoll_event> events);
  void FetchAhead(std::span<const epoll_event> events) const;

  int epoll_;
  std::vector<Entry> entries_;  // by descriptor
  std::vector<int> dirty_;
  PrepareCallback prepare_ = nullptr;
  void* prepare_context_ = nullptr;
  bool stop_ = false;
  bool coarse_ = false;  // the kernel has no epoll_pwait2
  TimePoint now_;
  TimePoint due_ = kNever;  // of the timers, when the wait began
  std::optional<std::chrono::nanoseconds> lag_;
  TimingWheel timers_;
};

}  // namespace connguard
