// `routes` of the configuration.
#pragma once

#include <vector>

#include "config/load_turn.h"
#include "config/section.h"

namespace connguard {

std::vector<RouteConfig> ReadRoutes(Section& root, const std::vector<UpstreamConfig>& upstreams,
                                    TurnReader& turns);

// Reports a name that an earlier entry of the same list has.
class NameCheck {
 public:
  void Add(Section& entry, const std::string& name);

 private:
  std::vector<std::pair<std::string, int>> seen_;  // name, line
};

}  // namespace connguard
