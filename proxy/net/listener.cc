// accept4 in batches.
#include "net/listener.h"

#include <sys/epoll.h>

#include <cerrno>

namespace connguard {

namespace {

// Bounds what one turn of the loop spends on newcomers.
constexpr int kBatch = 64;
constexpr Millis kOutOfDescriptors{50};

}  // namespace

Listener::Listener(EventLoop& loop, Fd fd, AcceptCallback accepted)
    : loop_(loop),
      fd_(std::move(fd)),
      accepted_(std::move(accepted)),
      resume_(
          [](void* self) noexcept {
            auto* listener = static_cast<Listener*>(self);
            listener->loop_.Change(listener->fd_.get(), EPOLLIN, 0);
          },
          this) {
  loop_.Watch(
      fd_.get(), EPOLLIN,
      [](void* self, int, std::uint32_t) noexcept { static_cast<Listener*>(self)->AcceptBatch(); },
      this);
}

Listener::~Listener() { loop_.Forget(fd_.get(), true); }

void Listener::AcceptBatch() {
  for (int i = 0; i < kBatch; ++i) {
    SocketAddress peer;
    peer.size = sizeof(peer.storage);
    Fd fd(accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      accepted_(std::move(fd), peer);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      loop_.Change(fd_.get(), 0, EPOLLIN);
      loop_.timers().Arm(resume_, loop_.now() + kOutOfDescriptors);
      return;
    }
    if (errno == EAGAIN) return;
    // Anything else concerns the one connection that was lost meanwhile.
  }
}

}  // namespace connguard
