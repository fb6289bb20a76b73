// `routes` of the configuration.
#pragma once

#include <vector>

#include "config/file_access.h"
#include "config/load_turn.h"

namespace connguard {

// `config` has its listeners and upstreams; those that `auth.forward` asks are added.
std::vector<RouteConfig> ReadRoutes(Section& root, Config& config, TurnReader& turns,
                                    const NamedFiles& files);

}  // namespace connguard
