// JwtVerifier: is this token (RFC 7519, signed by RFC 7515) one of ours, and what does it claim?
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connguard/config.h"

namespace connguard {

// The claims of a token that was believed.
class JwtClaims {
 public:
  explicit JwtClaims(std::string json) : json_(std::move(json)) {}
  // A string, or a whole number as text; nullopt for others, and where it is not there.
  std::optional<std::string> Text(std::string_view claim) const;

 private:
  std::string json_;  // the payload, a JSON object
};

struct JwtVerdict {
  std::optional<JwtClaims> claims{};
  std::string why{};  // not believed because; never holds a piece of the token
};

// Immutable; thread-safe.
class JwtVerifier {
 public:
  struct Result {
    std::shared_ptr<const JwtVerifier> value{};
    std::string error{};  // one line that names the file
  };
  // Reads config.keys_file.
  static Result Load(const JwtConfig& config);
  ~JwtVerifier();

  // Tokens longer than 8 KiB are refused unread.
  JwtVerdict Verify(std::string_view token, std::chrono::system_clock::time_point now) const;

 private:
  struct Impl;
  explicit JwtVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace connguard
