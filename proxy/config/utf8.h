// Is a text UTF-8?
#pragma once

#include <cstddef>
#include <string_view>

namespace connguard {

// The offset of the first byte that does not belong to a well-formed sequence (RFC 3629: shortest
// form, no surrogates); npos when there is none. Pure; any thread.
std::size_t FirstInvalidUtf8(std::string_view text);

}  // namespace connguard
