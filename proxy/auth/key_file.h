// Public keys out of a file: PEM or a JSON Web Key Set (RFC 7517).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/verify_key.h"

namespace connguard {

// A token without a `kid` is tried with each key that fits it: so there are not many.
inline constexpr std::size_t kMostKeys = 32;

// One key at least, or an error: one line, without anything out of the file.
struct VerifyKeys {
  std::vector<VerifyKey> value{};
  std::string error{};
};

// Public keys (`PUBLIC KEY`, `RSA PUBLIC KEY`) and certificates, of which only the key counts:
// neither issuer nor dates are looked at. A private key is an error.
VerifyKeys ReadPemKeys(std::string_view text);

// Keys of RFC 7517 and 8037. Those for other uses and of unknown types are left out (§5); private
// and symmetric ones are an error, since whoever could read this file could sign with them.
VerifyKeys ReadJwks(std::string_view text);

// Either of these. Errors name the file. Blocks.
VerifyKeys ReadKeyFile(const std::string& path);

}  // namespace connguard
