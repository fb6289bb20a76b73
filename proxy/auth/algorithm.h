// What RFC 7518 §3 and RFC 8037 §3.1 say of each algorithm that signs tokens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "connguard/config.h"
#include "connguard/types.h"

namespace connguard {

// A key is of one kind, and an algorithm takes keys of one kind: so no key is ever used for
// something else than what it is.
enum class KeyKind : std::uint8_t { kSecret, kRsa, kP256, kP384, kP521, kEdwards };

// As in a token's `alg`; in the order of JwtAlgorithm.
inline constexpr auto kJwtAlgorithmNames =
    std::to_array<std::string_view>({"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
                                     "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"});
constexpr std::string_view NameOf(JwtAlgorithm algorithm) {
  return kJwtAlgorithmNames.at(static_cast<std::size_t>(algorithm));
}
// Case counts; nullopt for `none` and all others.
std::optional<JwtAlgorithm> JwtAlgorithmOf(std::string_view name);

KeyKind KindOf(JwtAlgorithm algorithm);
// HS*: who can check a token can also make one.
inline bool IsShared(JwtAlgorithm algorithm) { return KindOf(algorithm) == KeyKind::kSecret; }
// The shortest secret for HS*: as long as its hash (RFC 7518 §3.2).
Bytes ShortestSecret(JwtAlgorithm algorithm);
bool IsPss(JwtAlgorithm algorithm);
// The hash's name for OpenSSL; null for EdDSA, which has its own.
const char* DigestOf(JwtAlgorithm algorithm);

}  // namespace connguard
