// What a route admits, and what becomes of credentials in its URLs.
#pragma once

#include "config/section.h"
#include "connguard/config.h"

namespace connguard {

// `origins`, `strip_query` and `lift`.
void ReadAdmission(Section& route, RouteConfig& out);

// Reports a `lift` by which a client could tell the upstream another token than the one that is
// checked. When `route` has its auth.
void CheckLift(Section& section, const RouteConfig& route);

}  // namespace connguard
