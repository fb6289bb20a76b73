// What RFC 7518 §3 and RFC 8037 §3.1 say of each algorithm that signs tokens.
#pragma once

#include <optional>
#include <string_view>

#include "connguard/config.h"

namespace connguard {

// A key is of one kind, and an algorithm takes keys of one kind: so no key is ever used for
// something else than what it is.
enum class KeyKind : std::uint8_t { kSecret, kRsa, kP256, kP384, kP521, kEdwards };

// As in a token's `alg`. Case counts; nullopt for `none` and all others.
std::optional<JwtAlgorithm> JwtAlgorithmOf(std::string_view name);
std::string_view NameOf(JwtAlgorithm algorithm);

KeyKind KindOf(JwtAlgorithm algorithm);
bool IsPss(JwtAlgorithm algorithm);
// The hash's name for OpenSSL; null for EdDSA, which has its own.
const char* DigestOf(JwtAlgorithm algorithm);

}  // namespace connguard
