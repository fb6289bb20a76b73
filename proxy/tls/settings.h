// What the SSL_CTX of a server and a client have in common.
#pragma once

#include <span>
#include <string>

#include "tls/openssl_ptr.h"
#include "tls/pem.h"
#include "tls/stream_state.h"

namespace connguard {

inline constexpr unsigned char kAlpn[] = "\x08http/1.1";
inline constexpr unsigned kAlpnSize = sizeof(kAlpn) - 1;

// Throws std::bad_alloc.
SslContextPtr NewSettings(TlsRole role);

// Empty: it worked.
std::string UseCredential(SSL_CTX* settings, const Credential& credential);
std::string Trust(SSL_CTX* settings, std::span<const CertificatePtr> authorities,
                  const std::string& file);

}  // namespace connguard
