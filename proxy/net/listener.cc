// accept4 in batches.
#include "net/listener.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

namespace connguard {

namespace {

// Bounds what one turn of the loop spends on newcomers.
constexpr int kMostAtOnce = 64;
// More than the kernel lets wait.
constexpr int kLastBatches = 128;
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
          this),
      last_(loop.now()),
      finish_([](void* self) noexcept { static_cast<Listener*>(self)->FinishIfQuiet(); }, this) {
  loop_.Watch(
      fd_.get(), EPOLLIN,
      [](void* self, int, std::uint32_t) noexcept { static_cast<Listener*>(self)->AcceptSome(); },
      this);
}

Listener::~Listener() {
  if (fd_) loop_.Forget(fd_.get(), true);
}

void Listener::Finish(Millis quiet, FinishedCallback finished) {
  quiet_ = quiet;
  finished_ = std::move(finished);
  last_ = loop_.now();
  if (quiet == Millis{0}) {
    FinishIfQuiet();
  } else {
    loop_.timers().Arm(finish_, last_ + quiet_);
  }
}

void Listener::FinishIfQuiet() {
  for (int i = 0; i < kLastBatches && Accept(kMostAtOnce); ++i) continue;
  if (quiet_ > Millis{0} && loop_.now() < last_ + quiet_) {
    loop_.timers().Arm(finish_, last_ + quiet_);
    return;
  }
  loop_.timers().Disarm(resume_);
  loop_.Forget(fd_.get(), false);
  finished_(std::move(fd_));
}

// Newcomers mostly come one by one: asking for a second one would be a system call for nothing. Who
// is left waiting makes the next event.
void Listener::AcceptSome() {
  const int most = at_once_;
  at_once_ = Accept(most) ? std::min(2 * most, kMostAtOnce) : 1;
}

bool Listener::Accept(int most) {
  for (int i = 0; i < most; ++i) {
    SocketAddress peer;
    peer.size = sizeof(peer.storage);
    Fd fd(accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      last_ = loop_.now();
      accepted_(std::move(fd), peer);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      loop_.Change(fd_.get(), 0, EPOLLIN);
      loop_.timers().Arm(resume_, loop_.now() + kOutOfDescriptors);
      return false;
    }
    if (errno == EAGAIN) return false;
    // Anything else concerns the one connection that was lost meanwhile.
  }
  return true;
}

}  // namespace connguard
