#include "tls/settings.h"

#include <openssl/err.h>

#include <algorithm>
#include <new>

#include "tls/openssl_error.h"

namespace connguard {
namespace {

// Mozilla's `intermediate` without finite-field DHE, which nothing needs that knows TLS 1.2 and
// GCM.
constexpr const char* kServerCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// As browsers have them, and Go and BoringSSL. OpenSSL's own order begins with AES-256.
constexpr const char* kSuites =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
// 2048 bits of RSA, 224 of a curve, no SHA-1.
constexpr int kSecurityLevel = 2;

std::string Weak(const std::string& file) {
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  const std::string why = TakeErrors();
  if (reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL) {
    return file + ": its key is too weak (" + why + "); take RSA of 2048 bits or more, or P-256";
  }
  if (reason == SSL_R_CA_MD_TOO_WEAK) {
    return file + ": its signature is too weak (" + why + "); take SHA-256 or better";
  }
  return file + ": cannot be used: " + why;
}

}  // namespace

SslContextPtr NewSettings(TlsRole role) {
  const bool is_server = role == TlsRole::kServer;
  SslContextPtr settings(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
  if (!settings) {
    throw std::bad_alloc();
  }
  SSL_CTX* const context = settings.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Buffers of 16 KiB only while there is a record in them. No read-ahead: see wire.h.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_security_level(context,
                             std::max(kSecurityLevel, SSL_CTX_get_security_level(context)));
  SSL_CTX_set_max_early_data(context, 0);  // it can be replayed
  SSL_CTX_set_ciphersuites(context, kSuites);
  if (is_server) {
    SSL_CTX_set_cipher_list(context, kServerCiphers);
    // Who begins with ChaCha20 has no AES in hardware.
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  }
  return settings;
}

std::string UseCredential(SSL_CTX* settings, const Credential& credential) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate(settings, credential.chain.front().get()) != 1) {
    return Weak(credential.files.chain);
  }
  if (SSL_CTX_use_PrivateKey(settings, credential.key.get()) != 1) {
    return Weak(credential.files.key);
  }
  for (std::size_t i = 1; i < credential.chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(settings, credential.chain[i].get()) != 1) {
      return Weak(credential.files.chain);
    }
  }
  // Nothing is added from the trusted ones: what the file holds is what is sent.
  SSL_CTX_set_mode(settings, SSL_MODE_NO_AUTO_CHAIN);
  return {};
}

std::string Trust(SSL_CTX* settings, std::span<const CertificatePtr> authorities,
                  const std::string& file) {
  X509_STORE* const store = SSL_CTX_get_cert_store(settings);
  for (const CertificatePtr& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1) {
      return file + ": cannot be used: " + TakeErrors();
    }
  }
  // Whatever the operator names is trusted, be it no root.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

}  // namespace connguard
