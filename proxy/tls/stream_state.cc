#include "tls/stream_state.h"

#include <new>
#include <utility>

#include "tls/openssl_error.h"

namespace connguard {
namespace {

// KeyUpdate, tickets, attempts to renegotiate, warnings: OpenSSL handles them inside SSL_read, and
// answers some. A peer that sends nothing else would keep us busy, and `out` growing, without end.
constexpr unsigned kMostAsides = 32;
constexpr Bytes kAsidesPer = 16 * 1024;

void OnMessage(int is_written, int /*version*/, int type, const void* /*bytes*/, size_t /*size*/,
               SSL* /*ssl*/, void* state) noexcept {
  auto& stream = *static_cast<StreamState*>(state);
  if (is_written != 0 || stream.status == TlsStream::Status::kHandshaking ||
      (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT && type != SSL3_RT_CHANGE_CIPHER_SPEC)) {
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
  SSL_set_msg_callback(ssl.get(), OnMessage);
  SSL_set_msg_callback_arg(ssl.get(), this);
  is_server() ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
}

StreamState::~StreamState() {
  if (status != TlsStream::Status::kFailed) {
    // Otherwise OpenSSL takes the session for broken, and it could not be resumed.
    SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
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
