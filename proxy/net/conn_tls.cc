// Conn with TLS: records on the wire, plain bytes for the owner.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "net/conn.h"
#include "net/transport.h"
#include "tls/tls_stream.h"

namespace connguard {

namespace {

// Browsers show it; without it they show that the connection was reset.
constexpr std::string_view kSpeakTls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    "Content-Length: 40\r\n\r\nThis port speaks TLS: use https or wss.\n";

// The worker's buffer of records keeps the size of the largest that was ever encrypted at once.
constexpr Bytes kPiece = 256 * 1024;

}  // namespace

std::string Conn::tls_error() const { return tls_ != nullptr ? tls_->error() : std::string(); }

void Conn::BeginTls(std::unique_ptr<TlsStream> tls, std::span<const std::uint8_t> cipher) {
  tls_ = std::move(tls);
  if (!cipher.empty()) ReceiveTls(cipher);
}

void Conn::HandleConnected() {
  connecting_ = false;
  transport_.loop().Change(fd(), 0, EPOLLOUT);
  if (queued() > 0 || finish_) AwaitTurn();
  if (tls_ == nullptr) {
    dialled_ = false;
    handler_->OnConnected(*this);
    return;
  }
  ByteBuffer& out = transport_.records();
  out.Clear();
  const TlsStream::Status status = tls_->Start(out);
  SendRaw({}, out.bytes());
  if (status == TlsStream::Status::kFailed) FailTls();
}

// Decrypts all of it before the owner sees any, so that what it sends for one read leaves in one
// write, and a pause leaves nothing behind. The owner may destroy this Conn in every call.
void Conn::ReceiveTls(std::span<const std::uint8_t> cipher) {
  if (tls_->status() == TlsStream::Status::kFailed) return;  // see FailTls()
  ByteBuffer& plain = transport_.plain();
  ByteBuffer& out = transport_.records();
  plain.Clear();
  out.Clear();
  const EventLoop& loop = transport_.loop();
  const int fd = this->fd();
  const std::uint32_t generation = loop.generation(fd);
  const bool waited = tls_->waiting() > 0 || tls_->holds_close();
  const TlsStream::Status status = tls_->Receive(cipher, plain, out);
  if (status == TlsStream::Status::kFailed && tls_->peer_spoke_http() && !dialled_) {
    SendRaw(kSpeakTls, {});
  } else if (out.size() > 0 && !broken_) {
    SendRaw({}, out.bytes());
  }
  if (waited && !broken_) {
    Meter();
    AwaitTurn();  // progress, and perhaps the end, are to be told
  }
  if (dialled_ && status != TlsStream::Status::kHandshaking &&
      status != TlsStream::Status::kFailed) {
    dialled_ = false;
    handler_->OnConnected(*this);
    if (loop.generation(fd) != generation) return;
  }
  if (plain.size() > 0) {
    handler_->OnReceive(*this, plain.bytes());
    if (loop.generation(fd) != generation) return;
  }
  if (status == TlsStream::Status::kFailed) {
    FailTls();
  } else if (status == TlsStream::Status::kEnded) {
    SayCloseNotify();
    Detach();
    handler_->OnEnd(*this, ConnEnd::kFin);
  }
}

void Conn::SendTls(std::string_view head, std::span<const std::uint8_t> body) {
  ByteBuffer& out = transport_.records();
  do {
    const auto piece = body.first(std::min(body.size(), kPiece));
    body = body.subspan(piece.size());
    out.Clear();
    const TlsStream::Status status = tls_->Send(std::exchange(head, {}), piece, out);
    if (out.size() > 0) SendRaw({}, out.bytes());
    Meter();
    if (status == TlsStream::Status::kFailed && !broken_) {
      // Not from within a call of the owner's: the read side tells the end.
      broken_ = true;
      Resume();
      shutdown(fd(), SHUT_RDWR);
    }
  } while (!body.empty() && !broken_);
}

// The peer knows then that nothing was cut off.
void Conn::SayCloseNotify() {
  if (tls_ == nullptr || !fd_ || broken_ || finish_) return;
  ByteBuffer& out = transport_.records();
  out.Clear();
  tls_->Close(out);
  if (out.size() > 0) SendRaw({}, out.bytes());
}

// The alert is on its way already. A client may have sent its request behind what was refused:
// closed with that unread, the socket would destroy the alert by a reset. It is read until the
// client's FIN; how long that may take is its owner's affair, who waits for the handshake.
void Conn::FailTls() {
  if (!dialled_ && !tls_->opened() && !broken_) {
    finish_ = true;
    FinishWhenDone();
    return;
  }
  Detach();
  handler_->OnEnd(*this, ConnEnd::kTlsFailed);
}

// The peer's FIN. Behind our own end it needs no more words.
ConnEnd Conn::EndOfTls() {
  if (tls_->status() == TlsStream::Status::kFailed) return ConnEnd::kTlsFailed;
  return finish_ || tls_->Cut() == TlsStream::Status::kEnded ? ConnEnd::kFin : ConnEnd::kTlsFailed;
}

}  // namespace connguard
