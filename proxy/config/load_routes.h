// `routes` of the configuration.
#pragma once

#include <vector>

#include "config/file_access.h"
#include "config/load_turn.h"

namespace connguard {

// Adds the upstreams that `auth.forward` asks to `upstreams`.
std::vector<RouteConfig> ReadRoutes(Section& root, std::vector<UpstreamConfig>& upstreams,
                                    TurnReader& turns, const NamedFiles& files);

}  // namespace connguard
