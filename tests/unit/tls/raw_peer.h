// RawPeer: a TLS peer straight on OpenSSL, for what a TlsStream would never do.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <string>

#include "tls/openssl_ptr.h"
#include "unit/tls/tls_pair.h"

namespace connguard::testing {

class RawPeer {
 public:
  explicit RawPeer(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {}
  // Another connection with the settings, and the ticket keys, of `other`.
  RawPeer(const RawPeer& other) : context_(other.context_.get()) { SSL_CTX_up_ref(context()); }
  RawPeer& operator=(const RawPeer&) = delete;

  SSL_CTX* context() const { return context_.get(); }

  // From its first call on, the context's settings are fixed.
  SSL* ssl() {
    if (!ssl_) {
      ssl_.reset(SSL_new(context_.get()));
      SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
      SSL_is_server(ssl_.get()) != 0 ? SSL_set_accept_state(ssl_.get())
                                     : SSL_set_connect_state(ssl_.get());
    }
    return ssl_.get();
  }

  void Use(const TestCertificate& certificate) const {
    SSL_CTX_use_certificate(context(), certificate.x509());
    SSL_CTX_use_PrivateKey(context(), certificate.key());
  }

  void Send(std::string_view text) { SSL_write(ssl(), text.data(), static_cast<int>(text.size())); }

  // Until nobody has anything to say.
  void Exchange(TlsEnd& other, Bytes piece = 1'000'000) {
    bool moves = true;
    while (moves) {
      Read();
      const std::string said = Said();
      for (Bytes at = 0; at < said.size(); at += piece) {
        other.Receive(AsBytes(std::string_view(said).substr(at, piece)));
      }
      moves = !said.empty() || other.out.size() > 0;
      BIO_write(SSL_get_rbio(ssl()), other.out.bytes().data(), static_cast<int>(other.out.size()));
      other.out.Clear();
    }
  }

  // What it has to say, for tests that count it.
  std::string Said() {
    std::string text(BIO_ctrl_pending(SSL_get_wbio(ssl())), '\0');
    if (!text.empty()) {
      BIO_read(SSL_get_wbio(ssl()), text.data(), static_cast<int>(text.size()));
    }
    return text;
  }

  bool is_open() { return SSL_is_init_finished(ssl()) != 0 && error_ == 0; }
  const std::string& read() const { return read_; }
  // The reason of its first failure; 0: none.
  int error() const { return error_; }

 private:
  void Read() {
    ERR_clear_error();
    std::array<char, 16'384> buffer{};
    int count = 0;
    while ((count = SSL_read(ssl(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
      read_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    if (SSL_get_error(ssl(), count) == SSL_ERROR_SSL && error_ == 0) {
      error_ = ERR_GET_REASON(ERR_peek_last_error());
    }
    ERR_clear_error();
  }

  SslContextPtr context_;
  SslPtr ssl_;
  std::string read_;
  int error_ = 0;
};

}  // namespace connguard::testing
