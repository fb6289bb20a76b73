// They are loaded and thrown away: what can be loaded now can be loaded at the start.
#include "config/key_material.h"

#include "auth/jwt.h"
#include "tls/tls_context.h"

namespace connguard {

std::string WhyUnusable(const ListenerTlsConfig& tls) {
  return TlsServer::Load(tls, NewTicketKeys()).error;
}

std::string WhyUnusable(const UpstreamTlsConfig& tls, const std::string& host) {
  return TlsClient::Load(tls, host).error;
}

std::string WhyUnusable(const JwtConfig& jwt) { return JwtVerifier::Load(jwt).error; }

}  // namespace connguard
