#include "auth/verify_key.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>

#include "connguard/types.h"

namespace connguard {
namespace {

const unsigned char* Octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool VerifiesHmac(const std::string& secret, const char* digest, std::string_view text,
                  std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  std::size_t size = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, secret.data(), secret.size(),
                Octets(text), text.size(), mac.data(), mac.size(), &size) == nullptr) {
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

// r and s of one length each (RFC 7518 §3.4), as the DER that OpenSSL reads; empty: not that.
std::string DerOfEcdsa(KeyKind kind, std::string_view signature) {
  const std::size_t half = kind == KeyKind::kP256 ? 32 : kind == KeyKind::kP384 ? 48 : 66;
  if (signature.size() != 2 * half) return {};
  const auto number = [&](std::string_view part) {
    return OpensslNumber(BN_bin2bn(Octets(part), static_cast<int>(part.size()), nullptr));
  };
  OpensslNumber r = number(signature.substr(0, half));
  OpensslNumber s = number(signature.substr(half));
  const OpensslEcdsa pair(ECDSA_SIG_new());
  if (!pair || !r || !s) return {};
  if (ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) return {};  // null is its only no
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  std::string text(size > 0 ? reinterpret_cast<const char*>(der) : "",
                   size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return text;
}

bool VerifiesPublic(EVP_PKEY* key, JwtAlgorithm algorithm, std::string_view text,
                    std::string_view signature) {
  const OpensslDigest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;  // owned by `digest`
  if (!digest || EVP_DigestVerifyInit_ex(digest.get(), &context, DigestOf(algorithm), nullptr,
                                         nullptr, key, nullptr) != 1) {
    return false;
  }
  // The salt is as long as the hash (RFC 7518 §3.5); so is the mask's hash, without being told.
  if (IsPss(algorithm) &&
      (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(digest.get(), Octets(signature), signature.size(), Octets(text),
                          text.size()) == 1;
}

std::optional<KeyKind> KindOfCurve(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return std::nullopt;
  const std::string_view curve(name.data(), size);
  if (curve == "prime256v1" || curve == "P-256") return KeyKind::kP256;
  if (curve == "secp384r1" || curve == "P-384") return KeyKind::kP384;
  if (curve == "secp521r1" || curve == "P-521") return KeyKind::kP521;
  return std::nullopt;
}

std::optional<KeyKind> KindOfKey(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return KeyKind::kRsa;
    case EVP_PKEY_EC:
      return KindOfCurve(key);
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
      return KeyKind::kEdwards;
    default:
      return std::nullopt;
  }
}

}  // namespace

struct VerifyKey::Impl {
  KeyKind kind = KeyKind::kSecret;
  std::string secret{};
  OpensslKey key{};
};

VerifyKey VerifyKey::OfSecret(std::string secret) {
  return VerifyKey(std::make_shared<const Impl>(Impl{.secret = std::move(secret)}));
}

VerifyKeyResult VerifyKey::OfPublic(OpensslKey key) {
  const OpensslErrors errors;
  if (!key) return {.error = "is no sound public key"};
  const auto kind = KindOfKey(key.get());
  if (!kind) return {.error = "is of a type or on a curve that no algorithm takes"};
  const int bits = EVP_PKEY_get_bits(key.get());
  if (*kind == KeyKind::kRsa && (bits < kShortestRsaBits || bits > kLongestRsaBits)) {
    return {.error = "is an RSA key of " + std::to_string(bits) + " bits: it must have from " +
                     std::to_string(kShortestRsaBits) + " to " + std::to_string(kLongestRsaBits)};
  }
  const OpensslKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    return {.error = "is no sound public key"};
  }
  return {.value =
              VerifyKey(std::make_shared<const Impl>(Impl{.kind = *kind, .key = std::move(key)}))};
}

KeyKind VerifyKey::kind() const { return impl_->kind; }

bool VerifyKey::Verifies(JwtAlgorithm algorithm, std::string_view text,
                         std::string_view signature) const {
  if (!Fits(algorithm) || signature.empty()) return false;
  const OpensslErrors errors;
  switch (impl_->kind) {
    case KeyKind::kSecret:
      return VerifiesHmac(impl_->secret, DigestOf(algorithm), text, signature);
    case KeyKind::kP256:
    case KeyKind::kP384:
    case KeyKind::kP521: {
      const std::string der = DerOfEcdsa(impl_->kind, signature);
      return !der.empty() && VerifiesPublic(impl_->key.get(), algorithm, text, der);
    }
    case KeyKind::kRsa:
      // RFC 8017 §8.1.2 and §8.2.2, step 1; OpenSSL takes shorter ones for PSS.
      return signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(impl_->key.get())) &&
             VerifiesPublic(impl_->key.get(), algorithm, text, signature);
    case KeyKind::kEdwards:
      return VerifiesPublic(impl_->key.get(), algorithm, text, signature);
  }
  return false;
}

}  // namespace connguard
