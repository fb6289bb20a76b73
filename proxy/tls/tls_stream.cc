#include "tls/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tls/openssl_error.h"
#include "tls/stream_state.h"

namespace connguard {
namespace {

using Status = TlsStream::Status;

constexpr const char* kLeftEarly = "the peer left during the TLS handshake";

// What `in` and `out` are only lasts for a call. The queue of OpenSSL's errors is this thread's,
// and may hold what another stream has left.
class Call {
 public:
  Call(Wire& wire, std::span<const std::uint8_t> in, ByteBuffer& out) : wire_(wire) {
    ClearErrors();
    wire_.in = in;
    wire_.out = &out;
  }
  ~Call() {
    wire_.in = {};
    wire_.out = nullptr;
    ClearErrors();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  static void ClearErrors() {
    if (ERR_peek_error() != 0) {  // far cheaper
      ERR_clear_error();
    }
  }

  Wire& wire_;
};

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

TlsStream::TlsStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsStream::~TlsStream() = default;

Status TlsStream::Start(ByteBuffer& out) {
  const Call call(impl_->wire, {}, out);
  if (!impl_->is_server() && impl_->status == Status::kHandshaking) {
    impl_->Handshake();
  }
  return impl_->status;
}

Status TlsStream::Receive(std::span<const std::uint8_t> cipher, ByteBuffer& plain,
                          ByteBuffer& out) {
  const Call call(impl_->wire, cipher, out);
  if (impl_->status == Status::kHandshaking) {
    impl_->Handshake();
  }
  if (impl_->status == Status::kOpen) {
    impl_->Read(plain);
  }
  impl_->WriteWaiting();
  return impl_->status;
}

Status TlsStream::Send(std::string_view head, std::span<const std::uint8_t> body, ByteBuffer& out) {
  if (impl_->status == Status::kFailed || impl_->says_close || impl_->said_close) {
    return impl_->status;
  }
  if (!impl_->may_write()) {
    impl_->waiting.Append(AsBytes(head));
    impl_->waiting.Append(body);
    return impl_->status;
  }
  const Call call(impl_->wire, {}, out);
  impl_->Write(head, body);
  return impl_->status;
}

void TlsStream::Close(ByteBuffer& out) {
  if (impl_->status != Status::kFailed && !impl_->may_write()) {
    impl_->says_close = true;
  } else if (impl_->status != Status::kFailed && !impl_->said_close) {
    const Call call(impl_->wire, {}, out);
    impl_->SayClose();
  }
}

Status TlsStream::Cut() {
  if (impl_->status == Status::kHandshaking) {
    impl_->status = Status::kFailed;
    impl_->error = kLeftEarly;
  } else if (impl_->status == Status::kOpen) {
    impl_->status = Status::kFailed;
    impl_->error = "the connection ended without TLS's close_notify: its end may have been cut off";
  }
  return impl_->status;
}

Status TlsStream::status() const { return impl_->status; }
Bytes TlsStream::waiting() const { return impl_->waiting.size(); }
bool TlsStream::holds_close() const { return impl_->says_close && !impl_->said_close; }
bool TlsStream::opened() const { return impl_->opened; }
const std::string& TlsStream::error() const { return impl_->error; }
bool TlsStream::peer_spoke_http() const { return impl_->http; }

std::optional<PeerCertificate> TlsStream::peer() const {
  const SSL* ssl = impl_->ssl.get();
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
  const char* name = SSL_get_servername(impl_->ssl.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

std::string_view TlsStream::version() const { return SSL_get_version(impl_->ssl.get()); }
bool TlsStream::resumed() const { return SSL_session_reused(impl_->ssl.get()) != 0; }

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

void TlsStream::Impl::Read(ByteBuffer& plain) {
  // OpenSSL asks the wire for one record at a time, and takes it whole: nothing is left in it when
  // the wire is empty but a part of a record.
  while (status == Status::kOpen && (!wire.in.empty() || SSL_pending(ssl.get()) > 0)) {
    const std::span<std::uint8_t> room = plain.Room(SSL3_RT_MAX_PLAIN_LENGTH);
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl.get(), room.data(), room.size(), &count);
    plain.Add(count);
    since_asides += count;
    if (result != 1 || wire.stopped) {
      Fail(result);
      if (status == Status::kOpen && wire.in.empty()) {
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
}

void TlsStream::Impl::Fail(int result) {
  if (wire.stopped) {
    status = Status::kFailed;
    error = "the peer sends TLS messages without data (KeyUpdate or the like), one after another";
    return;
  }
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      if (status == Status::kHandshaking) {
        status = Status::kFailed;
        error = kLeftEarly;
      } else {
        status = Status::kEnded;
      }
      return;
    default:
      break;
  }
  const bool in_handshake = status == Status::kHandshaking;
  status = Status::kFailed;
  http = in_handshake && wire.BeganWithHttp();
  const std::string queue = TakeErrors();
  if (http) {
    error = "plain HTTP came where TLS was expected";
  } else if (!refusal.empty()) {
    error = std::string(is_server() ? "the client's" : "the server's") +
            " certificate was refused: " + refusal;
  } else {
    error = in_handshake ? "the TLS handshake failed" : "TLS failed";
  }
  error += queue.empty() ? "" : ": " + queue;
}

}  // namespace connguard
