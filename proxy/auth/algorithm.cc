#include "auth/algorithm.h"

#include <algorithm>
#include <array>

namespace connguard {
namespace {

struct Traits {
  JwtAlgorithm algorithm = JwtAlgorithm::kHs256;
  KeyKind kind = KeyKind::kSecret;
  const char* digest = nullptr;
};

// In the order of JwtAlgorithm.
constexpr std::array kTraits = {
    Traits{JwtAlgorithm::kHs256, KeyKind::kSecret, "SHA2-256"},
    Traits{JwtAlgorithm::kHs384, KeyKind::kSecret, "SHA2-384"},
    Traits{JwtAlgorithm::kHs512, KeyKind::kSecret, "SHA2-512"},
    Traits{JwtAlgorithm::kRs256, KeyKind::kRsa, "SHA2-256"},
    Traits{JwtAlgorithm::kRs384, KeyKind::kRsa, "SHA2-384"},
    Traits{JwtAlgorithm::kRs512, KeyKind::kRsa, "SHA2-512"},
    Traits{JwtAlgorithm::kPs256, KeyKind::kRsa, "SHA2-256"},
    Traits{JwtAlgorithm::kPs384, KeyKind::kRsa, "SHA2-384"},
    Traits{JwtAlgorithm::kPs512, KeyKind::kRsa, "SHA2-512"},
    Traits{JwtAlgorithm::kEs256, KeyKind::kP256, "SHA2-256"},
    Traits{JwtAlgorithm::kEs384, KeyKind::kP384, "SHA2-384"},
    Traits{JwtAlgorithm::kEs512, KeyKind::kP521, "SHA2-512"},
    Traits{JwtAlgorithm::kEdDsa, KeyKind::kEdwards, nullptr},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (static_cast<std::size_t>(kTraits[i].algorithm) != i) return false;
  }
  return true;
}
static_assert(InOrder() && kTraits.size() == kJwtAlgorithmNames.size());

const Traits& TraitsOf(JwtAlgorithm algorithm) {
  return kTraits.at(static_cast<std::size_t>(algorithm));
}

}  // namespace

std::optional<JwtAlgorithm> JwtAlgorithmOf(std::string_view name) {
  const auto* const found = std::ranges::find(kJwtAlgorithmNames, name);
  if (found == kJwtAlgorithmNames.end()) return std::nullopt;
  return static_cast<JwtAlgorithm>(found - kJwtAlgorithmNames.begin());
}

KeyKind KindOf(JwtAlgorithm algorithm) { return TraitsOf(algorithm).kind; }
Bytes ShortestSecret(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kHs256 ? 32 : algorithm == JwtAlgorithm::kHs384 ? 48 : 64;
}
const char* DigestOf(JwtAlgorithm algorithm) { return TraitsOf(algorithm).digest; }

bool IsPss(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kPs256 || algorithm == JwtAlgorithm::kPs384 ||
         algorithm == JwtAlgorithm::kPs512;
}

}  // namespace connguard
