// What signs tokens for these tests: keys made anew in each run.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "auth/jwt.h"
#include "auth/openssl.h"

namespace connguard::test {

std::string EncodeBase64Url(std::string_view bytes);

// `signature` over header and payload, which are encoded first.
class Signer {
 public:
  static Signer Secret(std::string secret);
  static Signer Rsa(unsigned bits = 2048);
  static Signer Curve(const char* name);  // P-256, P-384, P-521
  static Signer Edwards(const char* name = "ED25519");

  std::string Sign(JwtAlgorithm algorithm, std::string_view text) const {
    return SignWithSalt(algorithm, text, -1);  // RSA_PSS_SALTLEN_DIGEST
  }
  // `salt`: the salt's size for PS*, in bytes.
  std::string SignWithSalt(JwtAlgorithm algorithm, std::string_view text, int salt) const;
  std::string PublicPem() const;
  std::string PrivatePem() const;
  std::string CertificatePem() const;
  nlohmann::json Jwk() const;  // public

 private:
  std::string secret_;
  OpensslKey key_;
};

// The compact form, with a header of `alg` only, or with the one that is given.
std::string Token(const Signer& signer, JwtAlgorithm algorithm, std::string_view payload);
std::string Token(const Signer& signer, JwtAlgorithm algorithm, std::string_view header,
                  std::string_view payload);

// A file below a folder of this process, gone with this object.
class KeysFile {
 public:
  explicit KeysFile(std::string_view text);
  ~KeysFile();
  KeysFile(const KeysFile&) = delete;
  KeysFile& operator=(const KeysFile&) = delete;
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// 32 bytes: what HS256 asks for.
inline const std::string kSecret = "0123456789abcdefghijklmnopqrstuv";
inline const std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'800'000'000)};

// Throws what is wrong with `config`.
std::shared_ptr<const JwtVerifier> LoadSound(const JwtConfig& config);
JwtConfig SecretConfig();

}  // namespace connguard::test
