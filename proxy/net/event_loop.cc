// epoll loop.
#include "net/event_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <system_error>

namespace connguard {

namespace {

constexpr std::size_t kBatch = 256;
constexpr std::uint8_t kUnknown = 0xFF;  // no interest that can be wanted

std::uint64_t Tag(int fd, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(fd);
}

std::size_t IndexOf(const epoll_event& event) { return event.data.u64 & 0xFFFFFFFFU; }

std::uint8_t InOut(std::uint32_t events) {
  return static_cast<std::uint8_t>(events & (EPOLLIN | EPOLLOUT));
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), now_(std::chrono::steady_clock::now()), timers_(now_) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

EventLoop::~EventLoop() { close(epoll_); }

void EventLoop::MarkDirty(int fd, Entry& entry) {
  if (entry.dirty) return;
  entry.dirty = true;
  dirty_.push_back(fd);
}

void EventLoop::Watch(int fd, std::uint32_t events, FdCallback callback, void* context) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= entries_.size())
    entries_.resize(std::max(index + 1, entries_.size() + entries_.size() / 4));
  Entry& entry = entries_[index];
  assert(entry.callback == nullptr);
  entry.callback = callback;
  entry.context = context;
  entry.wanted = InOut(events);
  entry.exclusive = (events & EPOLLEXCLUSIVE) != 0;
  entry.edge = (events & EPOLLET) != 0;
  entry.applied = 0;
  entry.registered = false;
  ++entry.generation;
  MarkDirty(fd, entry);
}

void EventLoop::Change(int fd, std::uint32_t add, std::uint32_t remove) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= entries_.size() || entries_[index].callback == nullptr) return;
  Entry& entry = entries_[index];
  entry.wanted = InOut((entry.wanted & ~remove) | add);
  if (entry.wanted != entry.applied || !entry.registered) MarkDirty(fd, entry);
}

void EventLoop::Forget(int fd, bool closing) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= entries_.size() || entries_[index].callback == nullptr) return;
  Entry& entry = entries_[index];
  if (entry.registered && !closing) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  entry.callback = nullptr;
  entry.registered = false;
  ++entry.generation;
}

void EventLoop::TellAgain(int fd) {
  Entry& entry = entries_[static_cast<std::size_t>(fd)];
  entry.applied = kUnknown;
  MarkDirty(fd, entry);
}

void EventLoop::SetPrepare(PrepareCallback callback, void* context) {
  prepare_ = callback;
  prepare_context_ = context;
}

void EventLoop::Apply() {
  for (const int fd : dirty_) {
    Entry& entry = entries_[static_cast<std::size_t>(fd)];
    entry.dirty = false;
    if (entry.callback == nullptr) continue;
    if (entry.registered && entry.wanted == entry.applied) continue;
    epoll_event event{};
    event.events = entry.wanted | (entry.exclusive ? EPOLLEXCLUSIVE : 0U);
    if (entry.edge) event.events |= EPOLLET | ((entry.wanted & EPOLLIN) != 0 ? EPOLLRDHUP : 0U);
    event.data.u64 = Tag(fd, entry.generation);
    const int operation = entry.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(epoll_, operation, fd, &event) == 0) {
      entry.registered = true;
      entry.applied = entry.wanted;
    }
  }
  dirty_.clear();
}

std::chrono::nanoseconds EventLoop::LongestWait() {
  std::chrono::nanoseconds wait = kLongestWait;
  if (prepare_ != nullptr)
    wait = std::min<std::chrono::nanoseconds>(wait, prepare_(prepare_context_));
  due_ = timers_.NextDeadline();
  if (due_ != kNever) wait = std::min(wait, due_ - std::chrono::steady_clock::now());
  return std::max(wait, std::chrono::nanoseconds{0});
}

int EventLoop::Wait(std::span<epoll_event> events) {
  const std::chrono::nanoseconds wait = LongestWait();
  Apply();
  const int room = static_cast<int>(events.size());
  if (!coarse_) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
    const timespec timeout{seconds.count(), (wait - seconds).count()};
    const int count = epoll_pwait2(epoll_, events.data(), room, &timeout, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    coarse_ = true;
  }
  // Rounded up: a wait that is too short would only be repeated.
  const auto millis = std::chrono::ceil<Millis>(wait);
  return epoll_wait(epoll_, events.data(), room, static_cast<int>(millis.count()));
}

// With many connections what one needs is not in the cache any more when its turn comes: it is on
// its way while those before it are served.
void EventLoop::FetchAhead(std::span<const epoll_event> events) const {
  if (events.size() > 1) __builtin_prefetch(entries_[IndexOf(events[1])].context);
  if (events.size() > 2) __builtin_prefetch(&entries_[IndexOf(events[2])]);
}

void EventLoop::Run() {
  std::array<epoll_event, kBatch> events;
  while (!stop_) {
    const int count = Wait(events);
    now_ = std::chrono::steady_clock::now();
    lag_.reset();
    if (due_ <= now_) lag_ = now_ - due_;
    timers_.Advance(now_);
    std::span<const epoll_event> told(events.data(), static_cast<std::size_t>(std::max(count, 0)));
    for (; !told.empty(); told = told.subspan(1)) {
      FetchAhead(told);
      const epoll_event& event = told.front();
      const Entry& entry = entries_[IndexOf(event)];
      const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
      if (entry.callback == nullptr || entry.generation != generation) continue;
      entry.callback(entry.context, static_cast<int>(IndexOf(event)), event.events);
    }
  }
}

}  // namespace connguard
