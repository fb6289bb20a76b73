#include "bench/relay.h"

#include <limits>
#include <utility>

namespace connguard::bench {
namespace {

constexpr std::uint32_t kListenerTag = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Relay::Relay(std::uint16_t port, const sockaddr_in& to) : listener_(Listen(port)), to_(to) {
  epoll_.Add(listener_, kListenerTag);
}

void Relay::Run() {
  while (true) {
    for (const epoll_event& event : epoll_.Wait(std::chrono::hours(1))) {
      if (event.data.u32 == kListenerTag) {
        AcceptAll();
      } else {
        OnEvent(event.data.u32, event.events);
      }
    }
  }
}

void Relay::AcceptAll() {
  for (Fd fd = Accept(listener_); fd.open(); fd = Accept(listener_)) {
    const std::uint32_t client = Add(std::move(fd));
    const std::uint32_t upstream = Add(ConnectTo(to_));
    sides_[client].other = upstream;
    sides_[upstream].other = client;
  }
}

std::uint32_t Relay::Add(Fd fd) {
  const std::uint32_t slot = sides_.Take();
  epoll_.Add(fd, slot);
  sides_[slot].wire = Wire(std::move(fd));
  return slot;
}

void Relay::OnEvent(std::uint32_t slot, std::uint32_t events) {
  Side& side = sides_[slot];
  if (!side.wire.open()) return;
  const std::uint32_t other = side.other;
  if ((events & EPOLLOUT) != 0) {
    if (!side.wire.Flush()) return End(slot);
  }
  if ((events & ~EPOLLOUT) != 0) {
    const std::ptrdiff_t got = side.wire.Receive(buffer_);
    if (got < 0) return End(slot);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (got > 0 && !sides_[other].wire.Send(bytes)) return End(slot);
  }
  Settle(slot);
  Settle(other);
}

// A side is read while the other one takes what it brings.
void Relay::Settle(std::uint32_t slot) {
  Side& side = sides_[slot];
  const bool reads = !sides_[side.other].wire.holds();
  const bool writes = side.wire.holds();
  if (side.reads == reads && side.writes == writes) return;
  side.reads = reads;
  side.writes = writes;
  epoll_.Watch(side.wire.fd(), slot, reads, writes);
}

void Relay::End(std::uint32_t slot) {
  sides_.GiveBack(sides_[slot].other);
  sides_.GiveBack(slot);
}

}  // namespace connguard::bench
