// `auth` of a route.
#pragma once

#include <string>
#include <vector>

#include "config/file_access.h"

namespace connguard {

// Sets `out.auth`. `forward` adds its upstream to `upstreams`, called `auth:ROUTE`.
void ReadAuth(Section& route, const NamedFiles& files, std::vector<UpstreamConfig>& upstreams,
              RouteConfig& out);

}  // namespace connguard
