// What a route admits, and what becomes of credentials in its URLs.
#pragma once

#include <vector>

#include "config/section.h"
#include "connguard/config.h"

namespace connguard {

// `origins`, `strip_query` and `lift`.
void ReadAdmission(Section& route, RouteConfig& out);

// Reports a `lift` into a header that upstreams take for the word of somebody else, and one by
// which a client could tell the upstream another token than the one that is checked. `route` has
// its `auth`.
void CheckLift(Section& section, const std::vector<ListenerConfig>& listeners,
               const RouteConfig& route);

}  // namespace connguard
