// Reading, and what an event means.
#include "net/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace connguard {

namespace {

// One read of this size at most per event: what a peer can make the guard hold beyond its limits,
// and with half of it a message of 256 KiB costs a tenth more.
constexpr ssize_t kReadSize = 128 * 1024;

// What a handler touches for a read: of a WebSocketSession, which is most of them, all that a
// message needs. With a thousand connections it has left the cache since its last turn, and comes
// back while the kernel reads.
void FetchHandler(const ConnHandler* handler) {
  constexpr std::size_t kBytes = 960;
  constexpr std::size_t kLine = 64;
  const auto* const begin = reinterpret_cast<const char*>(handler);
  for (std::size_t at = 0; at < kBytes; at += kLine) __builtin_prefetch(begin + at);
}

int ErrorOf(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

ConnEnd EndOfError(int error) { return error == ETIMEDOUT ? ConnEnd::kTimedOut : ConnEnd::kReset; }

// What a read that brought nothing says. `size`: its result, with its errno. `finished`: our own
// FIN is out; the peer's then closes a socket just as an RST does.
ConnEnd EndOfRead(int fd, ssize_t size, std::uint32_t events, bool finished) {
  if (size < 0) return EndOfError(errno);
  // A FIN. But hung up before our own, the socket was closed by an RST behind it; the kernel knows.
  if ((events & EPOLLERR) == 0 && ((events & EPOLLHUP) == 0 || finished)) return ConnEnd::kFin;
  if (const int error = ErrorOf(fd); error != 0) return EndOfError(error);
  tcp_info info{};
  socklen_t room = sizeof(info);
  // A unix socket has no TCP_INFO: its end is a FIN.
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &room) != 0) return ConnEnd::kFin;
  return info.tcpi_state == TCP_CLOSE && !finished ? ConnEnd::kReset : ConnEnd::kFin;
}

}  // namespace

Transport::Transport(EventLoop& loop)
    : loop_(loop), received_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadSize)) {}

std::unique_ptr<Conn> Transport::Adopt(Fd fd, ConnHandler* handler, Adopted how,
                                       std::unique_ptr<TlsStream> tls) {
  const int descriptor = fd.get();
  std::unique_ptr<Conn> conn(
      new Conn(*this, std::move(fd), handler, how != Adopted::kAccepted, std::move(tls)));
  const bool connecting = how == Adopted::kConnecting;
  loop_.Watch(descriptor, EPOLLET | EPOLLIN | (connecting ? EPOLLOUT : 0U), OnEvents, conn.get());
  if (how == Adopted::kConnected) connected_.push_back(conn.get());
  return conn;
}

void Transport::Prepare() {
  // Who is told may dial again, or let others go.
  for (std::size_t i = 0; i < connected_.size(); ++i) {
    if (Conn* const conn = std::exchange(connected_[i], nullptr)) conn->HandleConnected();
  }
  connected_.clear();
}

void Transport::Forget(const Conn& conn) { std::ranges::replace(connected_, &conn, nullptr); }

void Transport::OnEvents(void* conn, int fd, std::uint32_t events) noexcept {
  auto& self = *static_cast<Conn*>(conn);
  self.transport_.HandleEvents(self, fd, events);
}

void Transport::HandleEvents(Conn& conn, int fd, std::uint32_t events) {
  if (conn.connecting_ && (events & EPOLLERR) != 0) {  // it comes with every failure
    conn.HandleUnreachable();
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    const std::uint32_t generation = loop_.generation(fd);
    if (conn.connecting_) {
      conn.HandleConnected();
    } else {
      conn.HandleWriteable();
    }
    if (loop_.generation(fd) != generation) return;
  }
  // Who is paused is told again when he resumes.
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0 && !conn.paused_) Read(conn, fd, events);
}

void Transport::Read(Conn& conn, int fd, std::uint32_t events) {
  FetchHandler(conn.handler_);
  const std::uint32_t generation = loop_.generation(fd);
  // The end was told with what comes before it, and is not told again.
  const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  do {
    const ssize_t size = recv(fd, received_.get(), kReadSize, 0);
    if (size <= 0) {
      if (size == 0 || errno != EAGAIN) conn.HandleEnd(EndOfRead(fd, size, events, conn.finish_));
      return;
    }
    conn.HandleReceive({received_.get(), static_cast<std::size_t>(size)});
    if (size == kReadSize && !ends && loop_.generation(fd) == generation) loop_.TellAgain(fd);
  } while (ends && loop_.generation(fd) == generation && !conn.paused_);
}

}  // namespace connguard
