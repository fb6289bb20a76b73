#include "tls/stream_state.h"

#include <new>
#include <utility>

#include "tls/openssl_error.h"

namespace connguard {
namespace {

// KeyUpdate, tickets, attempts to renegotiate, warnings: OpenSSL handles them inside SSL_read, and
// answers some. A peer that sends nothing else would keep us busy, and `out` growing, without end.
// Empty records of data in a row OpenSSL counts itself.
constexpr unsigned kMostAsides = 32;
constexpr Bytes kAsidesPer = 16 * 1024;

// Records are counted, not messages: OpenSSL answers a ClientHello that comes too late without
// telling of it. A record's type is in its header, or behind its content in TLS 1.3 (RFC 8446
// §5.2).
void OnRecord(int is_written, int /*version*/, int what, const void* bytes, size_t size,
              SSL* /*ssl*/, void* state) noexcept {
  auto& stream = *static_cast<StreamState*>(state);
  const bool has_type = what == SSL3_RT_HEADER || what == SSL3_RT_INNER_CONTENT_TYPE;
  if (is_written != 0 || stream.status == TlsStream::Status::kHandshaking || !has_type ||
      size == 0 || *static_cast<const unsigned char*>(bytes) == SSL3_RT_APPLICATION_DATA) {
    return;
  }
  if (stream.since_asides >= kAsidesPer) {
    stream.since_asides = 0;
    stream.asides = 0;
  }
  if (++stream.asides > kMostAsides) {
    stream.wire.stopped = true;
  }
}

}  // namespace

StreamState::StreamState(SSL_CTX* settings, std::shared_ptr<const void> kept, TlsRole as)
    : context(std::move(kept)), role(as), ssl(SSL_new(settings)) {
  if (!ssl) {
    throw std::bad_alloc();
  }
  BIO* bio = NewWireBio(&wire);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_app_data(ssl.get(), this);
  SSL_set_msg_callback(ssl.get(), OnRecord);
  SSL_set_msg_callback_arg(ssl.get(), this);
  is_server() ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
}

StreamState& StateOf(const SSL* ssl) { return *static_cast<StreamState*>(SSL_get_app_data(ssl)); }

int OnVerify(int is_good, X509_STORE_CTX* context) noexcept {
  if (is_good == 0) {
    const void* ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    StreamState& stream = StateOf(static_cast<const SSL*>(ssl));
    if (stream.refusal.empty()) {
      stream.refusal = WhyRefused(context, stream.expected);
    }
  }
  return is_good;
}

}  // namespace connguard
