#include "tls/stream_state.h"

#include <algorithm>
#include <new>
#include <utility>

#include "tls/openssl_error.h"
#include "tls/wire.h"

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
    stream.stopped = true;
  }
}

}  // namespace

StreamState::StreamState(SSL_CTX* settings, std::shared_ptr<const void> kept, TlsRole as)
    : context(std::move(kept)), role(as), ssl(SSL_new(settings)) {
  if (!ssl) {
    throw std::bad_alloc();
  }
  SSL_set0_rbio(ssl.get(), WireBio());
  SSL_set0_wbio(ssl.get(), WireBio());
  SSL_set_msg_callback(ssl.get(), OnRecord);
  SSL_set_msg_callback_arg(ssl.get(), this);
  is_server() ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
}

StreamState::Words& StreamState::words() {
  if (kept_words == nullptr) {
    kept_words = std::make_unique<Words>();
  }
  return *kept_words;
}

bool Beginning::IsHttp() const {
  const auto is_upper = [](std::uint8_t c) { return c >= 'A' && c <= 'Z'; };
  if (size < bytes.size() || !std::all_of(bytes.begin(), bytes.begin() + 3, is_upper)) {
    return false;
  }
  // `GET /`, `POST `, `OPTIO`, `HTTP/`
  return bytes[3] == ' ' ||
         (is_upper(bytes[3]) && (is_upper(bytes[4]) || bytes[4] == ' ' || bytes[4] == '/'));
}

int OnVerify(int is_good, X509_STORE_CTX* context) noexcept {
  if (is_good == 0) {
    const void* ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    StreamState::Words& words = StateOf(static_cast<const SSL*>(ssl)).words();
    if (words.refusal.empty()) {
      words.refusal = WhyRefused(context, words.expected);
    }
  }
  return is_good;
}

}  // namespace connguard
