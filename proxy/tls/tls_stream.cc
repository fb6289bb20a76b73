#include "tls/tls_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tls/openssl_error.h"
#include "tls/stream_state.h"
#include "tls/wire.h"

namespace connguard {
namespace {

using Status = TlsStream::Status;

constexpr const char* kLeftEarly = "the peer left during the TLS handshake";

std::string Digits(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

// There is no other kind of stream.
TlsStream::Impl& TlsStream::impl() { return static_cast<Impl&>(*this); }
const TlsStream::Impl& TlsStream::impl() const { return static_cast<const Impl&>(*this); }

Status TlsStream::Start(ByteBuffer& out) {
  const Wire wire(impl(), {}, out);
  if (!impl().is_server() && impl().status == Status::kHandshaking) {
    impl().Handshake();
  }
  return impl().status;
}

Status TlsStream::Receive(std::span<const std::uint8_t> cipher, ByteBuffer& plain,
                          ByteBuffer& out) {
  const Wire wire(impl(), cipher, out);
  if (impl().status == Status::kHandshaking) {
    impl().Handshake();
  }
  if (impl().status == Status::kOpen) {
    impl().Read(wire, plain);
  }
  impl().WriteWaiting();
  return impl().status;
}

Status TlsStream::Send(std::string_view head, std::span<const std::uint8_t> body, ByteBuffer& out) {
  if (impl().status == Status::kFailed || impl().says_close || impl().said_close) {
    return impl().status;
  }
  if (!impl().may_write()) {
    impl().waiting.Append(AsBytes(head));
    impl().waiting.Append(body);
    return impl().status;
  }
  const Wire wire(impl(), {}, out);
  impl().Write(head, body);
  return impl().status;
}

void TlsStream::Close(ByteBuffer& out) {
  if (impl().status != Status::kFailed && !impl().may_write()) {
    impl().says_close = true;
  } else if (impl().status != Status::kFailed && !impl().said_close) {
    const Wire wire(impl(), {}, out);
    impl().SayClose();
  }
}

Status TlsStream::Cut() {
  if (impl().status == Status::kHandshaking) {
    impl().status = Status::kFailed;
    impl().words().error = kLeftEarly;
  } else if (impl().status == Status::kOpen) {
    impl().status = Status::kFailed;
    impl().words().error =
        "the connection ended without TLS's close_notify: its end may have been cut off";
  }
  return impl().status;
}

Status TlsStream::status() const { return impl().status; }
Bytes TlsStream::waiting() const { return impl().waiting.size(); }
bool TlsStream::holds_close() const { return impl().says_close && !impl().said_close; }
bool TlsStream::opened() const { return impl().opened; }
std::string TlsStream::error() const {
  return impl().kept_words != nullptr ? impl().kept_words->error : std::string();
}
bool TlsStream::peer_spoke_http() const { return impl().http; }

std::optional<PeerCertificate> TlsStream::peer() const {
  const SSL* ssl = impl().ssl.get();
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ||
      SSL_get_verify_result(ssl) != X509_V_OK) {
    return std::nullopt;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  return PeerCertificate{.subject = NameText(X509_get_subject_name(certificate)),
                         .fingerprint = Digits(std::span(digest).first(size))};
}

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(impl().ssl.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

std::string_view TlsStream::version() const { return SSL_get_version(impl().ssl.get()); }
bool TlsStream::resumed() const { return SSL_session_reused(impl().ssl.get()) != 0; }

void TlsStream::Impl::Handshake() {
  const int result = SSL_do_handshake(ssl.get());
  if (result != 1) {
    Fail(result);
    return;
  }
  status = Status::kOpen;
  opened = true;
}

bool TlsStream::Impl::may_write() const {
  return status != Status::kHandshaking && SSL_in_init(ssl.get()) == 0;
}

void TlsStream::Impl::WriteWaiting() {
  if (status == Status::kFailed || !may_write()) {
    return;
  }
  if (waiting.size() > 0) {
    Write({}, std::exchange(waiting, ByteBuffer()).bytes());
  }
  if (says_close && !said_close && status != Status::kFailed) {
    SayClose();
  }
}

void TlsStream::Impl::Read(const Wire& wire, ByteBuffer& plain) {
  // OpenSSL asks the wire for one record at a time, and takes it whole: nothing is left in it when
  // the wire is empty but a part of a record.
  while (status == Status::kOpen && (!wire.empty() || SSL_pending(ssl.get()) > 0)) {
    const std::span<std::uint8_t> room = plain.Room(SSL3_RT_MAX_PLAIN_LENGTH);
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl.get(), room.data(), room.size(), &count);
    plain.Add(count);
    since_asides += count;
    if (result != 1 || stopped) {
      Fail(result);
      if (status == Status::kOpen && wire.empty()) {
        return;
      }
    }
  }
}

void TlsStream::Impl::Write(std::string_view head, std::span<const std::uint8_t> body) {
  if (!head.empty() && !body.empty()) {
    // Joined: a head and the beginning of its body are one record, one packet, one wake-up.
    std::array<std::uint8_t, SSL3_RT_MAX_PLAIN_LENGTH> record;  // not zeroed
    const Bytes of_head = head.size() % record.size();
    const Bytes whole = head.size() - of_head;
    WriteRecords(AsBytes(head.substr(0, whole)));
    const Bytes of_body = std::min(body.size(), record.size() - of_head);
    std::memcpy(record.data(), head.data() + whole, of_head);
    std::memcpy(record.data() + of_head, body.data(), of_body);
    WriteRecords(std::span(record).first(of_head + of_body));
    WriteRecords(body.subspan(of_body));
    return;
  }
  WriteRecords(AsBytes(head));
  WriteRecords(body);
}

void TlsStream::Impl::WriteRecords(std::span<const std::uint8_t> bytes) {
  if (bytes.empty() || status == Status::kFailed) {
    return;
  }
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl.get(), bytes.data(), bytes.size(), &count);
  if (result != 1) {
    Fail(result);
  }
}

void TlsStream::Impl::SayClose() {
  said_close = true;
  const int result = SSL_shutdown(ssl.get());
  if (result < 0) {
    Fail(result);
  }
  // An alert's buffer is not given back by itself, and the peer may take long to end.
  SSL_free_buffers(ssl.get());
}

void TlsStream::Impl::Fail(int result) {
  if (stopped) {
    status = Status::kFailed;
    words().error =
        "the peer sends TLS messages without data (KeyUpdate or the like), one after another";
    return;
  }
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      if (status == Status::kHandshaking) {
        status = Status::kFailed;
        words().error = kLeftEarly;
      } else {
        status = Status::kEnded;
      }
      return;
    default:
      break;
  }
  const bool in_handshake = status == Status::kHandshaking;
  status = Status::kFailed;
  http = in_handshake && beginning.IsHttp();
  const std::string queue = TakeErrors();
  if (http) {
    words().error = "plain HTTP came where TLS was expected";
  } else if (!words().refusal.empty()) {
    words().error = std::string(is_server() ? "the client's" : "the server's") +
                    " certificate was refused: " + words().refusal;
  } else {
    words().error = in_handshake ? "the TLS handshake failed" : "TLS failed";
  }
  words().error += queue.empty() ? "" : ": " + queue;
}

}  // namespace connguard
