// FindToken: where a request carries its token.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connguard/config.h"
#include "http/message.h"

namespace connguard {

// The token in the first of `places` that holds one. nullopt also where that place holds several,
// even equal ones: a backend might read another one than was verified here. Bearer tokens: RFC 6750
// §2.1, and credentials of another scheme are none. Pure.
std::optional<std::string> FindToken(const std::vector<TokenPlace>& places,
                                     const RequestHead& head);

}  // namespace connguard
