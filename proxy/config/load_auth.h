// `auth` of a route.
#pragma once

#include <string>
#include <vector>

#include "config/file_access.h"

namespace connguard {

// Sets `out.auth`. `forward` adds its upstream to `upstreams`, called `auth:ROUTE`.
void ReadAuth(Section& route, const NamedFiles& files, std::vector<UpstreamConfig>& upstreams,
              RouteConfig& out);

// As `algorithms` calls it: `RS256`.
std::string_view WordOf(JwtAlgorithm algorithm);

// HS*: who can check a token can also make one.
bool IsShared(JwtAlgorithm algorithm);

}  // namespace connguard
