// Generation: one configuration in force, and what a worker keeps for it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "admin/metrics.h"
#include "app/credentials.h"
#include "connguard/config.h"
#include "connguard/tunnel.h"
#include "net/socket.h"

namespace connguard {

// Where an upstream is, as far as it is known.
struct UpstreamPlace {
  std::string name;
  Address address;
  std::vector<SocketAddress> resolved;
  std::shared_ptr<const TlsClient> tls;  // by which kept connections were made
};

// Sessions hold the generation that they were born with until they end, so that a reload never
// changes what one of them does. Owned by one worker; never changes but for the places, which
// generations share where address and TLS are the same.
struct Generation {
  std::shared_ptr<const Config> config;
  std::shared_ptr<const Credentials> credentials;
  std::vector<std::shared_ptr<UpstreamPlace>> places;  // as Config::upstreams
  std::vector<RouteMetrics*> routes;                   // as Config::routes
  std::vector<TunnelPolicy> tunnels;                   // likewise

  const UpstreamConfig& UpstreamOf(const RouteConfig& route) const {
    return config->upstreams[route.upstream];
  }
  // nullptr: routes[].auth.jwt is not set.
  const JwtVerifier* VerifierOf(const RouteConfig& route) const {
    return credentials->routes[NumberOf(route)].get();
  }
  const TunnelPolicy& TunnelPolicyOf(const RouteConfig& route) const {
    return tunnels[NumberOf(route)];
  }
  RouteMetrics& MetricsOf(const RouteConfig& route) const { return *routes[NumberOf(route)]; }

 private:
  std::size_t NumberOf(const RouteConfig& route) const {
    return static_cast<std::size_t>(&route - config->routes.data());
  }
};

}  // namespace connguard
