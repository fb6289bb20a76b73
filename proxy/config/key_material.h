// What the libraries that use them say of certificates, keys and trust anchors: one place per kind
// of file. Each returns why it cannot be used, in one line that names the file; empty: it can.
// Asked only when all the files are there and may be used.
#pragma once

#include <string>

#include "connguard/config.h"

namespace connguard {

// listeners[].tls: chains that fit their keys, client_ca.
std::string WhyUnusable(const ListenerTlsConfig& tls);
// upstreams[].tls and routes[].auth.forward.tls: ca, certificate. `host`: of the URL.
std::string WhyUnusable(const UpstreamTlsConfig& tls, const std::string& host);
// routes[].auth.jwt: keys_file.
std::string WhyUnusable(const JwtConfig& jwt);

}  // namespace connguard
