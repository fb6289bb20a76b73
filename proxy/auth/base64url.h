// base64url as RFC 7515 has it: without padding, and one text for each sequence of bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace connguard {

// The bytes; nullopt for every text but the one that an encoder would write for them: no padding,
// no white space, no bits left over (RFC 4648 §3.5). Pure.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace connguard
