// VerifyKey: one key that signatures are checked with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/openssl.h"

namespace connguard {

// Less can be factored (RFC 7518 §3.3, §3.5).
inline constexpr int kShortestRsaBits = 2048;
// More would hold a worker up for milliseconds with each token, sound or not.
inline constexpr int kLongestRsaBits = 8192;

struct VerifyKeyResult;

// Immutable; thread-safe; cheap to copy.
class VerifyKey {
 public:
  // A secret for HS*.
  static VerifyKey OfSecret(std::string secret);
  static VerifyKeyResult OfPublic(OpensslKey key);  // null: an error

  KeyKind kind() const;
  // Names it in a JWKS; nullopt: nameless.
  const std::optional<std::string>& id() const { return id_; }
  // A key may be meant for one algorithm only (RFC 7517 §4.4).
  bool Fits(JwtAlgorithm algorithm) const {
    return kind() == KindOf(algorithm) && (!only_ || *only_ == algorithm);
  }
  void Restrict(std::optional<std::string> id, std::optional<JwtAlgorithm> only) {
    id_ = std::move(id);
    only_ = only;
  }

  // True when `signature`, as RFC 7518 §3 writes it, is this key's for `text`. False also where the
  // key does not fit.
  bool Verifies(JwtAlgorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  struct Impl;
  explicit VerifyKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
  std::optional<std::string> id_;
  std::optional<JwtAlgorithm> only_;
};

struct VerifyKeyResult {
  std::optional<VerifyKey> value{};
  std::string error{};  // goes on behind the key's name: `is …`
};

}  // namespace connguard
