// Generation: one configuration in force, and what a worker keeps for it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "admin/metrics.h"
#include "connguard/config.h"
#include "net/socket.h"

namespace connguard {

// Where an upstream is, as far as it is known.
struct UpstreamPlace {
  std::string name;
  Address address;
  std::vector<SocketAddress> resolved;
};

// Sessions hold the generation that they were born with until they end, so that a reload never
// changes what one of them does. Owned by one worker; never changes but for the places, which
// generations share where the address is the same.
struct Generation {
  std::shared_ptr<const Config> config;
  std::vector<std::shared_ptr<UpstreamPlace>> places;  // as Config::upstreams
  std::vector<RouteMetrics*> routes;                   // as Config::routes

  const UpstreamConfig& UpstreamOf(const RouteConfig& route) const {
    return config->upstreams[route.upstream];
  }
  RouteMetrics& MetricsOf(const RouteConfig& route) const {
    return *routes[static_cast<std::size_t>(&route - config->routes.data())];
  }
};

}  // namespace connguard
