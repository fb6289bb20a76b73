#include "auth/algorithm.h"

#include <array>

namespace connguard {
namespace {

struct Traits {
  JwtAlgorithm algorithm = JwtAlgorithm::kHs256;
  std::string_view name{};
  KeyKind kind = KeyKind::kSecret;
  const char* digest = nullptr;
};

// In the order of JwtAlgorithm.
constexpr std::array kTraits = {
    Traits{JwtAlgorithm::kHs256, "HS256", KeyKind::kSecret, "SHA2-256"},
    Traits{JwtAlgorithm::kHs384, "HS384", KeyKind::kSecret, "SHA2-384"},
    Traits{JwtAlgorithm::kHs512, "HS512", KeyKind::kSecret, "SHA2-512"},
    Traits{JwtAlgorithm::kRs256, "RS256", KeyKind::kRsa, "SHA2-256"},
    Traits{JwtAlgorithm::kRs384, "RS384", KeyKind::kRsa, "SHA2-384"},
    Traits{JwtAlgorithm::kRs512, "RS512", KeyKind::kRsa, "SHA2-512"},
    Traits{JwtAlgorithm::kPs256, "PS256", KeyKind::kRsa, "SHA2-256"},
    Traits{JwtAlgorithm::kPs384, "PS384", KeyKind::kRsa, "SHA2-384"},
    Traits{JwtAlgorithm::kPs512, "PS512", KeyKind::kRsa, "SHA2-512"},
    Traits{JwtAlgorithm::kEs256, "ES256", KeyKind::kP256, "SHA2-256"},
    Traits{JwtAlgorithm::kEs384, "ES384", KeyKind::kP384, "SHA2-384"},
    Traits{JwtAlgorithm::kEs512, "ES512", KeyKind::kP521, "SHA2-512"},
    Traits{JwtAlgorithm::kEdDsa, "EdDSA", KeyKind::kEdwards, nullptr},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (static_cast<std::size_t>(kTraits[i].algorithm) != i) return false;
  }
  return true;
}
static_assert(InOrder());

const Traits& TraitsOf(JwtAlgorithm algorithm) {
  return kTraits.at(static_cast<std::size_t>(algorithm));
}

}  // namespace

std::optional<JwtAlgorithm> JwtAlgorithmOf(std::string_view name) {
  for (const Traits& traits : kTraits) {
    if (traits.name == name) return traits.algorithm;
  }
  return std::nullopt;
}

std::string_view NameOf(JwtAlgorithm algorithm) { return TraitsOf(algorithm).name; }
KeyKind KindOf(JwtAlgorithm algorithm) { return TraitsOf(algorithm).kind; }
const char* DigestOf(JwtAlgorithm algorithm) { return TraitsOf(algorithm).digest; }

bool IsPss(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kPs256 || algorithm == JwtAlgorithm::kPs384 ||
         algorithm == JwtAlgorithm::kPs512;
}

}  // namespace connguard
