// What a file of keys may hold, and what is said where it holds something else.
#include "auth/key_file.h"

#include <gtest/gtest.h>

#include "signer.h"

namespace connguard {
namespace {

using nlohmann::json;
using test::KeysFile;
using test::kSecret;
using test::Signer;

// What Load says of this file, without its name.
std::string Why(const std::string& text, JwtAlgorithm algorithm = JwtAlgorithm::kEs256) {
  const KeysFile file(text);
  const auto result = JwtVerifier::Load({.algorithms = {algorithm}, .keys_file = file.path()});
  EXPECT_EQ(result.value == nullptr, !result.error.empty());
  EXPECT_EQ(result.error.find('\n'), std::string::npos);
  if (result.error.empty()) return {};
  EXPECT_TRUE(result.error.starts_with(file.path() + ": ")) << result.error;
  return result.error.substr(file.path().size() + 2);
}

std::string WhyKey(const json& key, JwtAlgorithm algorithm = JwtAlgorithm::kEs256) {
  return Why(json{{"keys", {key}}}.dump(), algorithm);
}

json With(json key, const char* name, const json& value) {
  key[name] = value;
  return key;
}

TEST(KeyFileTest, MustBeThere) {
  const auto result =
      JwtVerifier::Load({.algorithms = {JwtAlgorithm::kEs256}, .keys_file = "/nowhere/keys.pem"});
  EXPECT_EQ(result.error, "/nowhere/keys.pem: cannot be read: No such file or directory");
  const auto folder = JwtVerifier::Load({.algorithms = {JwtAlgorithm::kEs256}, .keys_file = "/"});
  EXPECT_EQ(folder.error, "/: cannot be read: Is a directory");
}

TEST(KeyFileTest, IsPemOrAKeySet) {
  const std::string why = "is neither PEM nor a JSON Web Key Set";
  EXPECT_EQ(Why(""), why);
  EXPECT_EQ(Why("\n\n"), why);
  EXPECT_EQ(Why("ssh-ed25519 AAAA"), why);
  EXPECT_EQ(Why(std::string(100, '\0')), why);
  EXPECT_EQ(Why(std::string(2'000'000, 'a')), "is larger than 1 MiB");
}

TEST(PemTest, HoldsKeysAndCertificates) {
  const Signer p256 = Signer::Curve("P-256");
  EXPECT_EQ(Why(p256.PublicPem()), "");
  EXPECT_EQ(Why("Our key:\r\n" + p256.CertificatePem() + "\nand another one:\n" +
                Signer::Rsa().PublicPem() + Signer::Edwards().PublicPem()),
            "");
  EXPECT_EQ(ReadPemKeys(p256.PublicPem() + p256.CertificatePem()).value.size(), 2U);
}

TEST(PemTest, RefusesPrivateKeys) {
  const std::string why = "holds a private key: only its public key belongs here";
  EXPECT_EQ(Why(Signer::Curve("P-256").PrivatePem()), why);
  EXPECT_EQ(Why(Signer::Curve("P-256").PublicPem() + Signer::Rsa().PrivatePem()), why);
}

TEST(PemTest, RefusesWhatIsBroken) {
  const std::string pem = Signer::Curve("P-256").PublicPem();
  EXPECT_EQ(Why(pem.substr(0, pem.size() - 30)), "holds a broken PEM block");
  EXPECT_EQ(Why(pem + pem.substr(0, pem.size() - 30)), "holds a broken PEM block");
  EXPECT_EQ(Why("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"),
            "PEM block 1 is no sound public key");
  EXPECT_EQ(Why(pem + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
            "PEM block 2 is no sound public key");
  EXPECT_EQ(Why("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"),
            "PEM block 1 is neither a public key nor a certificate");
}

TEST(PemTest, RefusesBytesBehindAKey) {
  std::string pem = Signer::Edwards().PublicPem();
  EXPECT_EQ(Why(pem, JwtAlgorithm::kEdDsa), "");
  pem[pem.find("=\n")] = 'A';  // the padding becomes a byte
  EXPECT_EQ(Why(pem, JwtAlgorithm::kEdDsa), "PEM block 1 is no sound public key");
}

TEST(PemTest, RefusesKeysThatAreTooWeakOrOfNoUse) {
  EXPECT_EQ(Why(Signer::Rsa(2040).PublicPem(), JwtAlgorithm::kRs256),
            "PEM block 1 is an RSA key of 2040 bits: it must have from 2048 to 8192");
  EXPECT_EQ(Why(Signer::Curve("secp256k1").PublicPem()),
            "PEM block 1 is of a type or on a curve that no algorithm takes");
  EXPECT_EQ(Why(Signer::Edwards("X25519").PublicPem()),
            "PEM block 1 is of a type or on a curve that no algorithm takes");
  EXPECT_EQ(Why(Signer::Curve("P-384").PublicPem()), "holds no key for the algorithms");
}

TEST(PemTest, HoldsNotTooManyKeys) {
  const std::string pem = Signer::Curve("P-256").PublicPem();
  std::string text;
  for (std::size_t i = 0; i < kMostKeys; ++i) text += pem;
  EXPECT_EQ(Why(text), "");
  EXPECT_EQ(Why(text + pem), "holds more than 32 keys");
}

TEST(JwksTest, IsAnObjectWithKeys) {
  EXPECT_EQ(Why("{"), "is no sound JSON");
  EXPECT_EQ(Why("{}"), "is no JSON Web Key Set: it has no array `keys`");
  EXPECT_EQ(Why(R"({"keys":{}})"), "is no JSON Web Key Set: it has no array `keys`");
  EXPECT_EQ(Why(R"({"keys":[]})"), "holds no key");
  EXPECT_EQ(Why(R"({"keys":[1]})"), "key 1 of the set is no JSON object");
  EXPECT_EQ(Why(" \n" + json{{"keys", {Signer::Curve("P-256").Jwk()}}}.dump(2)), "");
}

TEST(JwksTest, RefusesKeysThatCouldSign) {
  const std::string symmetric = "key 1 of the set is a symmetric one: only public keys belong here";
  EXPECT_EQ(WhyKey({{"kty", "oct"}, {"k", "AAAA"}}), symmetric);
  EXPECT_EQ(WhyKey({{"kty", "oct"}, {"use", "enc"}}), symmetric);
  const std::string is_private = "key 1 of the set is a private one: only public keys belong here";
  EXPECT_EQ(WhyKey(With(Signer::Curve("P-256").Jwk(), "d", "AAAA")), is_private);
  EXPECT_EQ(WhyKey(With(With(Signer::Edwards().Jwk(), "d", "AAAA"), "use", "enc")), is_private);
  EXPECT_EQ(WhyKey(With(Signer::Rsa().Jwk(), "p", "AAAA")), is_private);
}

TEST(JwksTest, RefusesKeysThatAreNotSound) {
  const std::string why = "key 1 of the set is no sound public key";
  const json p256 = Signer::Curve("P-256").Jwk();
  const json p384 = Signer::Curve("P-384").Jwk();
  EXPECT_EQ(WhyKey({{"kty", "RSA"}}, JwtAlgorithm::kRs256), why);
  EXPECT_EQ(WhyKey({{"kty", "RSA"}, {"n", ""}, {"e", "AQAB"}}, JwtAlgorithm::kRs256), why);
  EXPECT_EQ(WhyKey({{"kty", "EC"}, {"crv", "P-256"}}), why);
  EXPECT_EQ(WhyKey(With(p256, "x", p384["x"])), why);
  EXPECT_EQ(WhyKey(With(p256, "x", p256["y"])), why);  // no point of the curve
  EXPECT_EQ(WhyKey(With(p256, "y", p256["y"].get<std::string>() + "=")), why);
  EXPECT_EQ(WhyKey(With(p256, "y", 5)), why);
  EXPECT_EQ(WhyKey(With(Signer::Edwards().Jwk(), "x", "AAAA"), JwtAlgorithm::kEdDsa), why);
  EXPECT_EQ(WhyKey(With(p256, "kid", 5)), "key 1 of the set has a kid that is no string");
}

TEST(JwksTest, RefusesWeakRsaKeys) {
  const json rsa = Signer::Rsa().Jwk();
  EXPECT_EQ(WhyKey(rsa, JwtAlgorithm::kRs256), "");
  EXPECT_EQ(WhyKey(Signer::Rsa(1024).Jwk(), JwtAlgorithm::kRs256),
            "key 1 of the set is an RSA key of 1024 bits: it must have from 2048 to 8192");
  const std::string large = test::EncodeBase64Url(std::string(1025, '\x7f'));
  EXPECT_EQ(WhyKey(With(rsa, "n", large), JwtAlgorithm::kRs256),
            "key 1 of the set is an RSA key of 8199 bits: it must have from 2048 to 8192");
  // With the exponent 1 each text is its own signature; even ones are none.
  EXPECT_EQ(WhyKey(With(rsa, "e", "AQ"), JwtAlgorithm::kRs256),
            "key 1 of the set is no sound public key");
  EXPECT_EQ(WhyKey(With(rsa, "e", "Ag"), JwtAlgorithm::kRs256),
            "key 1 of the set is no sound public key");
}

TEST(LoadTest, KeysAndAlgorithmsBelongTogether) {
  const KeysFile keys(Signer::Curve("P-256").PublicPem());
  const auto why = [](const JwtConfig& config) { return JwtVerifier::Load(config).error; };
  EXPECT_EQ(why({}), "algorithms: there are none");
  EXPECT_EQ(why({.algorithms = {JwtAlgorithm::kHs256}}), "HS256 needs a secret");
  EXPECT_EQ(why({.algorithms = {JwtAlgorithm::kEs256}}), "ES256 needs a keys_file");
  EXPECT_EQ(why({.algorithms = {JwtAlgorithm::kHs256}, .secret = kSecret.substr(1)}),
            "secret: HS256 needs 32 bytes or more (RFC 7518 section 3.2)");
  EXPECT_EQ(why({.algorithms = {JwtAlgorithm::kHs384}, .secret = kSecret}),
            "secret: HS384 needs 48 bytes or more (RFC 7518 section 3.2)");
  EXPECT_EQ(why({.algorithms = {JwtAlgorithm::kHs512}, .secret = kSecret}),
            "secret: HS512 needs 64 bytes or more (RFC 7518 section 3.2)");
  EXPECT_EQ(
      why({.algorithms = {JwtAlgorithm::kEs256}, .secret = kSecret, .keys_file = keys.path()}),
      "secret: no algorithm uses it");
  EXPECT_EQ(
      why({.algorithms = {JwtAlgorithm::kHs256}, .secret = kSecret, .keys_file = keys.path()}),
      keys.path() + ": no algorithm uses a keys_file");
  EXPECT_EQ(why({.algorithms = {JwtAlgorithm::kHs256}, .secret = Signer::Rsa().PublicPem()}),
            "secret: this is PEM, which belongs into a keys_file");
}

}  // namespace
}  // namespace connguard
