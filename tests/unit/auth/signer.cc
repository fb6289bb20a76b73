#include "signer.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "auth/algorithm.h"

namespace connguard::test {
namespace {

const unsigned char* Octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void Require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL would not");
}

std::string Written(const OpensslBio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  const OpensslNumber number(raw);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  return EncodeBase64Url(bytes);
}

// DER to r and s of `half` bytes each.
std::string RawOfDer(const std::string& der, int half) {
  const unsigned char* in = Octets(der);
  const OpensslEcdsa pair(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
  std::string raw(static_cast<std::size_t>(2 * half), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  Require(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, half) == half);
  Require(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + half, half) == half);
  return raw;
}

}  // namespace

std::string EncodeBase64Url(std::string_view bytes) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += kLetters[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kLetters[bits << (6 - count) & 63];
  return text;
}

Signer Signer::Secret(std::string secret) {
  Signer signer;
  signer.secret_ = std::move(secret);
  return signer;
}

Signer Signer::Rsa(unsigned bits) {
  Signer signer;
  signer.key_.reset(EVP_RSA_gen(bits));
  Require(signer.key_ != nullptr);
  return signer;
}

Signer Signer::Curve(const char* name) {
  Signer signer;
  signer.key_.reset(EVP_EC_gen(name));
  Require(signer.key_ != nullptr);
  return signer;
}

Signer Signer::Edwards(const char* name) {
  Signer signer;
  signer.key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, name));
  Require(signer.key_ != nullptr);
  return signer;
}

std::string Signer::SignWithSalt(JwtAlgorithm algorithm, std::string_view text, int salt) const {
  std::string out(1024, '\0');
  auto* const data = reinterpret_cast<unsigned char*>(out.data());
  std::size_t size = out.size();
  if (!secret_.empty()) {
    Require(EVP_Q_mac(nullptr, "HMAC", nullptr, DigestOf(algorithm), nullptr, secret_.data(),
                      secret_.size(), Octets(text), text.size(), data, size, &size) != nullptr);
    out.resize(size);
    return out;
  }
  const OpensslDigest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  Require(EVP_DigestSignInit_ex(digest.get(), &context, DigestOf(algorithm), nullptr, nullptr,
                                key_.get(), nullptr) == 1);
  if (IsPss(algorithm)) {
    Require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1);
    Require(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1);
  }
  Require(EVP_DigestSign(digest.get(), data, &size, Octets(text), text.size()) == 1);
  out.resize(size);
  if (EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_EC) return out;
  return RawOfDer(out, (EVP_PKEY_get_bits(key_.get()) + 7) / 8);
}

std::string Signer::PublicPem() const {
  const OpensslBio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  return Written(bio);
}

std::string Signer::PrivatePem() const {
  const OpensslBio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
          1);
  return Written(bio);
}

std::string Signer::CertificatePem() const {
  const OpensslCertificate certificate(X509_new());
  Require(X509_set_pubkey(certificate.get(), key_.get()) == 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  const int type = EVP_PKEY_get_base_id(key_.get());
  const bool hashes = type == EVP_PKEY_RSA || type == EVP_PKEY_EC;
  Require(X509_sign(certificate.get(), key_.get(), hashes ? EVP_sha256() : nullptr) > 0);
  const OpensslBio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  return Written(bio);
}

nlohmann::json Signer::Jwk() const {
  if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA) {
    return {{"kty", "RSA"},
            {"n", NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N)},
            {"e", NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E)}};
  }
  std::string bytes(256, '\0');
  std::size_t size = 0;
  Require(EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                          reinterpret_cast<unsigned char*>(bytes.data()),
                                          bytes.size(), &size) == 1);
  bytes.resize(size);
  if (EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_EC) {
    const bool small = EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_ED25519;
    return {{"kty", "OKP"}, {"crv", small ? "Ed25519" : "Ed448"}, {"x", EncodeBase64Url(bytes)}};
  }
  const std::size_t half = (size - 1) / 2;
  const char* const name = half == 32 ? "P-256" : half == 48 ? "P-384" : "P-521";
  return {{"kty", "EC"},
          {"crv", name},
          {"x", EncodeBase64Url(std::string_view(bytes).substr(1, half))},
          {"y", EncodeBase64Url(std::string_view(bytes).substr(1 + half))}};
}

std::string Token(const Signer& signer, JwtAlgorithm algorithm, std::string_view payload) {
  const std::string header = R"({"alg":")" + std::string(NameOf(algorithm)) + R"("})";
  return Token(signer, algorithm, header, payload);
}

std::string Token(const Signer& signer, JwtAlgorithm algorithm, std::string_view header,
                  std::string_view payload) {
  const std::string text = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  return text + "." + EncodeBase64Url(signer.Sign(algorithm, text));
}

KeysFile::KeysFile(std::string_view text) {
  static std::atomic<int> number = 0;
  path_ = std::filesystem::temp_directory_path() /
          ("connguard-keys-" + std::to_string(getpid()) + "-" + std::to_string(number++));
  std::ofstream(path_, std::ios::binary) << text;
}

KeysFile::~KeysFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

std::shared_ptr<const JwtVerifier> LoadSound(const JwtConfig& config) {
  JwtVerifier::Result result = JwtVerifier::Load(config);
  if (!result.value) throw std::runtime_error(result.error);
  return result.value;
}

JwtConfig SecretConfig() { return {.algorithms = {JwtAlgorithm::kHs256}, .secret = kSecret}; }

}  // namespace connguard::test
