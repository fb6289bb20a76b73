// What a route admits, and what becomes of credentials in its URLs.
#pragma once

#include "config/section.h"
#include "connguard/config.h"

namespace connguard {

// `origins`, `strip_query` and `lift`.
void ReadAdmission(Section& route, RouteConfig& out);

}  // namespace connguard
