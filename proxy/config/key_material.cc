// Nothing is loaded yet: TlsServer::Load, TlsClient::Load and JwtVerifier::Load are to be asked
// here.
#include "config/key_material.h"

namespace connguard {

std::string WhyUnusable(const ListenerTlsConfig& /*tls*/) { return {}; }

std::string WhyUnusable(const UpstreamTlsConfig& /*tls*/, const std::string& /*host*/) {
  return {};
}

std::string WhyUnusable(const JwtConfig& /*jwt*/) { return {}; }

}  // namespace connguard
