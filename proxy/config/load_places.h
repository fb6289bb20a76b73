// `from`: where a request may carry its token.
#pragma once

#include <vector>

#include "config/section.h"
#include "connguard/config.h"

namespace connguard {

// `from` of `jwt`; without one `out` stays as it is.
void ReadPlaces(Section& jwt, std::vector<TokenPlace>& out);

// As ReadPlaces reads them: `bearer`, `{query: token}`. `quote` makes a name a scalar of YAML.
std::string FormatPlace(const TokenPlace& place, std::string (*quote)(std::string_view));

}  // namespace connguard
