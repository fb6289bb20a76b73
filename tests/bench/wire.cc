#include "bench/wire.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>

namespace connguard::bench {
namespace {

int Length(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

std::ptrdiff_t SocketResult(ssize_t result) {
  if (result > 0) return result;
  return result < 0 && errno == EAGAIN ? 0 : -1;
}

}  // namespace

TlsContext ClientTls() {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::runtime_error("no TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // What browsers offer first, and nothing else: by OpenSSL's order some would encrypt by AES-256.
  SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Wire::Wire(Fd fd, SSL_CTX& client_tls) : fd_(std::move(fd)), tls_(SSL_new(&client_tls)) {
  if (!tls_ || SSL_set_fd(tls_.get(), fd_.get()) != 1) throw std::runtime_error("no TLS session");
  SSL_set_connect_state(tls_.get());
}

std::ptrdiff_t Wire::Receive(std::span<char> buffer) {
  if (!tls_) return SocketResult(recv(fd_.get(), buffer.data(), buffer.size(), 0));
  ERR_clear_error();
  const auto got = TlsResult(SSL_read(tls_.get(), buffer.data(), Length(buffer.size())));
  awaits_input_ = false;
  return got >= 0 && !Flush() ? -1 : got;
}

bool Wire::Send(std::string_view bytes) {
  if (!holds()) {
    const std::ptrdiff_t taken = Write(bytes);
    if (taken < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  kept_.append(bytes);
  return true;
}

bool Wire::Flush() {
  while (holds()) {
    const std::ptrdiff_t taken = Write(std::string_view(kept_).substr(sent_));
    if (taken <= 0) return taken == 0;
    sent_ += static_cast<std::size_t>(taken);
  }
  kept_.clear();
  sent_ = 0;
  return true;
}

std::ptrdiff_t Wire::Write(std::string_view bytes) {
  if (!tls_) return SocketResult(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  ERR_clear_error();
  return TlsResult(SSL_write(tls_.get(), bytes.data(), Length(bytes.size())));
}

std::ptrdiff_t Wire::TlsResult(int result) {
  if (result > 0) return result;
  const int reason = SSL_get_error(tls_.get(), result);
  awaits_input_ = reason == SSL_ERROR_WANT_READ;
  return awaits_input_ || reason == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

}  // namespace connguard::bench
