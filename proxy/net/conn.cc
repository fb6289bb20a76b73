// Conn: direct writes, our own queue, staged shutdown.
#include "net/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "net/transport.h"
#include "tls/tls_stream.h"

namespace connguard {

Conn::Conn(Transport& transport, Fd fd, ConnHandler* handler, bool connecting,
           std::unique_ptr<TlsStream> tls)
    : transport_(transport),
      handler_(handler),
      tls_(std::move(tls)),
      fd_(std::move(fd)),
      connecting_(connecting),
      dialled_(connecting) {}

Conn::~Conn() {
  SayCloseNotify();
  Detach();
  transport_.Count(0, metered_);
}

void Conn::Meter() {
  transport_.Count(queued(), metered_);
  metered_ = queued();
}

Bytes Conn::queued() const { return unsent() + (tls_ != nullptr ? tls_->waiting() : 0); }

bool Conn::quiet() const {
  char byte = 0;
  // Close_notify may have been read already, and not yet been told.
  const bool ended = tls_ != nullptr && tls_->status() != TlsStream::Status::kOpen;
  return fd_ && !ended && recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void Conn::SetOption(int level, int option, int value) {
  if (fd_) setsockopt(fd(), level, option, &value, sizeof(value));
}

void Conn::Probe(Millis idle, Millis timeout) {
  constexpr int kProbes = 3;
  const auto seconds = [](Millis time) {
    return static_cast<int>(
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(time).count(), 1));
  };
  SetOption(SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(IPPROTO_TCP, TCP_KEEPIDLE, seconds(idle));
  SetOption(IPPROTO_TCP, TCP_KEEPINTVL, seconds(timeout / kProbes));
  SetOption(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

void Conn::LimitUnacknowledged(Millis longest) {
  SetOption(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(longest.count()));
}

void Conn::Detach() {
  if (!fd_) return;
  if (connecting_) transport_.Forget(*this);
  transport_.loop().Forget(fd(), true);
  fd_ = Fd();
}

void Conn::Send(std::span<const std::uint8_t> data) { Send({}, data); }

void Conn::Send(std::string_view head, std::span<const std::uint8_t> body) {
  if (head.size() + body.size() == 0 || !fd_ || broken_ || finish_) return;
  if (tls_ != nullptr) {
    SendTls(head, body);
  } else {
    SendRaw(head, body);
  }
}

void Conn::SendLast(std::span<const std::uint8_t> data) {
  last_ = true;
  Send(data);
}

void Conn::SendRaw(std::string_view head, std::span<const std::uint8_t> body) {
  const Bytes sent = unsent() == 0 && !connecting_ ? Write(head, body) : 0;
  if (broken_ || sent == head.size() + body.size()) return;
  if (sent < head.size()) Enqueue(AsBytes(head.substr(sent)));
  Enqueue(body.subspan(sent - std::min(sent, head.size())));
}

// How much of it the socket took. When it was not all, the rest is asked for.
Bytes Conn::Write(std::string_view head, std::span<const std::uint8_t> body) {
  const int flags = last_ ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
  ssize_t sent = 0;
  if (head.empty()) {
    sent = send(fd(), body.data(), body.size(), flags);
  } else if (body.empty()) {
    sent = send(fd(), head.data(), head.size(), flags);
  } else {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(head.data()), head.size()},
                                iovec{const_cast<std::uint8_t*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    sent = sendmsg(fd(), &message, flags);
  }
  if (sent == static_cast<ssize_t>(head.size() + body.size())) return head.size() + body.size();
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    timed_out_ = errno == ETIMEDOUT;
    broken_ = true;
    Resume();  // the read side tells the end
    return 0;
  }
  AwaitWriteable();
  return static_cast<Bytes>(std::max<ssize_t>(sent, 0));
}

void Conn::Enqueue(std::span<const std::uint8_t> data) {
  if (queue_ == nullptr) queue_ = std::make_unique<Queue>();
  std::vector<std::uint8_t>& bytes = queue_->bytes;
  if (queue_->at > bytes.size() / 2) {
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(queue_->at));
    queue_->at = 0;
  }
  bytes.insert(bytes.end(), data.begin(), data.end());
  Meter();
}

void Conn::Flush() {
  while (unsent() > 0 && !broken_) {
    const ssize_t sent = send(fd(), queue_->bytes.data() + queue_->at, unsent(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) break;
      timed_out_ = errno == ETIMEDOUT;
      broken_ = true;
      Resume();
      break;
    }
    queue_->at += static_cast<std::size_t>(sent);
  }
  if (unsent() > 0 && !broken_) {
    AwaitWriteable();
    Meter();
    return;
  }
  queue_.reset();
  Meter();
  FinishWhenDone();
}

void Conn::Pause() {
  if (paused_ || !fd_) return;
  paused_ = true;
  transport_.loop().Change(fd(), 0, EPOLLIN);
}

void Conn::Resume() {
  if (!paused_ || !fd_) return;
  paused_ = false;
  transport_.loop().Change(fd(), EPOLLIN, 0);
  transport_.loop().TellAgain(fd());  // of what came meanwhile
}

void Conn::FinishWriting() {
  if (finish_ || !fd_) return;
  last_ = true;  // unlike a close, which is a reset where something is unread
  SayCloseNotify();
  finish_ = true;
  FinishWhenDone();
}

void Conn::FinishWhenDone() {
  const bool holds = tls_ != nullptr && tls_->holds_close();
  if (finish_ && unsent() == 0 && !connecting_ && !holds) shutdown(fd(), SHUT_WR);
}

void Conn::Reset() {
  if (!fd_) return;
  const linger abort{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  Detach();
}

void Conn::HandleReceive(std::span<const std::uint8_t> data) {
  if (tls_ != nullptr) {
    ReceiveTls(data);
  } else {
    handler_->OnReceive(*this, data);
  }
}

void Conn::AwaitWriteable() { transport_.loop().Change(fd(), EPOLLOUT, 0); }

void Conn::AwaitTurn() {
  AwaitWriteable();
  transport_.loop().TellAgain(fd());
}

void Conn::HandleWriteable() {
  transport_.loop().Change(fd(), 0, EPOLLOUT);
  Flush();
  handler_->OnProgress(*this);
}

void Conn::HandleUnreachable() {
  Detach();
  handler_->OnEnd(*this, ConnEnd::kUnreachable);
}

void Conn::HandleEnd(ConnEnd end) {
  if (timed_out_) {
    end = ConnEnd::kTimedOut;
  } else if (broken_ && end == ConnEnd::kFin) {
    end = ConnEnd::kReset;
  }
  if (end == ConnEnd::kFin && tls_ != nullptr) end = EndOfTls();
  Detach();
  handler_->OnEnd(*this, end);
}

}  // namespace connguard
