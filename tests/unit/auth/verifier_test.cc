// What is believed, and what is not, whatever it claims.
#include <gtest/gtest.h>

#include <algorithm>

#include "auth/algorithm.h"
#include "auth/base64url.h"
#include "signer.h"

namespace connguard {
namespace {

using test::EncodeBase64Url;
using test::KeysFile;
using test::kNow;
using test::kSecret;
using test::LoadSound;
using test::SecretConfig;
using test::Signer;
using test::Token;

const std::string kAnn = R"({"sub":"ann"})";

class VerifierTest : public testing::Test {
 protected:
  // Why `token` is not believed; empty: it is.
  std::string Why(const std::string& token) const {
    const JwtVerdict verdict = verifier_->Verify(token, kNow);
    EXPECT_EQ(verdict.claims.has_value(), verdict.why.empty());
    return verdict.why;
  }
  std::string WhyHeader(const std::string& header) const {
    return Why(Token(signer_, JwtAlgorithm::kHs256, header, kAnn));
  }
  std::string WhyPayload(const std::string& payload) const {
    return Why(Token(signer_, JwtAlgorithm::kHs256, payload));
  }

  const Signer signer_ = Signer::Secret(kSecret);
  const std::shared_ptr<const JwtVerifier> verifier_ = LoadSound(SecretConfig());
};

TEST_F(VerifierTest, BelievesOurs) {
  EXPECT_EQ(WhyPayload(kAnn), "");
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","typ":"JWT"})"), "");
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","typ":"at+jwt","cty":7,"jku":"https://evil/","kid":"x"})"),
            "");
  EXPECT_EQ(WhyPayload("{}"), "");
}

TEST_F(VerifierTest, TheAlgorithmIsOneOfTheConfigured) {
  const std::string why = "the token's algorithm is not allowed";
  for (const char* const name :
       {"none", "None", "NONE", "", "hs256", "HS384", "RS256", "EdDSA", "HS256 ", "dir"}) {
    EXPECT_EQ(WhyHeader(R"({"alg":")" + std::string(name) + R"("})"), why) << name;
  }
  for (const char* const header :
       {"{}", R"({"alg":null})", R"({"alg":256})", R"({"alg":["HS256"]})", R"({"ALG":"HS256"})"}) {
    EXPECT_EQ(WhyHeader(header), "the token names no algorithm") << header;
  }
  const std::string unsecured = EncodeBase64Url(R"({"alg":"none"})") + "." + EncodeBase64Url(kAnn);
  EXPECT_EQ(Why(unsecured + "."), why);
}

TEST_F(VerifierTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","crit":["exp"],"exp":1})"),
            "the token demands extensions (crit)");
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","crit":[]})"), "the token demands extensions (crit)");
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","b64":false,"crit":["b64"]})"),
            "the token demands extensions (crit)");
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","kid":1})"), "the token's kid is no string");
}

TEST_F(VerifierTest, RefusesWhatHasTwoMeanings) {
  const std::string why = "the token's header is no sound JSON object";
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256","alg":"HS256"})"), why);
  EXPECT_EQ(WhyHeader(R"({"alg":"none","alg":"HS256"})"), why);
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256"}x)"), why);
  EXPECT_EQ(WhyHeader(R"(["HS256"])"), why);
  EXPECT_EQ(WhyPayload(R"({"sub":"ann","sub":"bob"})"),
            "the token's payload is no sound JSON object");
  EXPECT_EQ(WhyPayload("\"ann\""), "the token's payload is no sound JSON object");
}

TEST_F(VerifierTest, NestingIsBounded) {
  const std::string deep = R"({"a":)" + std::string(2500, '[') + std::string(2500, ']') + "}";
  EXPECT_EQ(WhyPayload(deep), "the token's payload is no sound JSON object");
  EXPECT_EQ(WhyHeader(R"({"alg":"HS256",)" + deep.substr(1)),
            "the token's header is no sound JSON object");
}

TEST_F(VerifierTest, HasThreeParts) {
  const std::string token = Token(signer_, JwtAlgorithm::kHs256, kAnn);
  const std::string why = "this is no signed token";
  for (const std::string& text :
       {std::string(), std::string("."), std::string("x"), token.substr(0, token.rfind('.')),
        token + ".", "." + token, token + ".a.b"}) {
    EXPECT_EQ(Why(text), why) << text;
  }
  EXPECT_EQ(Why(".."), "the token's header is no sound JSON object");
  EXPECT_EQ(Why(token.substr(0, token.rfind('.') + 1)), "the token is not signed by our keys");
}

TEST_F(VerifierTest, IsNoLongerThanEightKibibytes) {
  const auto token_of = [&](std::size_t size) {
    return Token(signer_, JwtAlgorithm::kHs256, R"({"a":")" + std::string(size, 'a') + R"("})");
  };
  std::size_t size = 6000;
  while (token_of(size + 1).size() <= 8192) ++size;
  EXPECT_EQ(Why(token_of(size)), "");
  EXPECT_EQ(Why(token_of(size + 1)), "the token is longer than 8 KiB");
  EXPECT_EQ(Why(std::string(10'000'000, '.')), "the token is longer than 8 KiB");
}

TEST_F(VerifierTest, EveryByteCounts) {
  const std::string token = Token(signer_, JwtAlgorithm::kHs256, kAnn);
  ASSERT_EQ(Why(token), "");
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string other = token;
      other[at] = static_cast<char>(byte);
      if (other == token) continue;
      ASSERT_NE(Why(other), "") << at << " " << byte;
    }
    ASSERT_NE(Why(token.substr(0, at)), "") << at;
    ASSERT_NE(Why(token.substr(at + 1)), "") << at;
    ASSERT_NE(Why(token.substr(0, at) + token.substr(at + 1)), "") << at;
    ASSERT_NE(Why(token.substr(0, at) + "A" + token.substr(at)), "") << at;
  }
  EXPECT_NE(Why(token + "="), "");
  EXPECT_NE(Why(token + "\n"), "");
}

TEST_F(VerifierTest, SaysNothingOfTheToken) {
  const std::string mark = "XyZzY";
  const std::string text = R"("XyZzY")";
  for (const std::string& why :
       {WhyHeader(R"({"alg":)" + text + "}"), WhyHeader(R"({"alg":"HS256","XyZzY":1,"XyZzY":1})"),
        WhyHeader(mark), Why(mark), Why(mark + "." + mark + "." + mark),
        WhyPayload(R"({"exp":)" + text + "}"), WhyPayload(R"({"nbf":)" + text + "}"),
        WhyPayload(mark),
        Why(Token(Signer::Secret(mark), JwtAlgorithm::kHs256, R"({"sub":)" + text + "}"))}) {
    EXPECT_NE(why, "");
    EXPECT_EQ(why.find(mark), std::string::npos) << why;
  }
}

TEST_F(VerifierTest, AnotherSecretIsNotOurs) {
  const std::string why = "the token is not signed by our keys";
  EXPECT_EQ(Why(Token(Signer::Secret(kSecret + "x"), JwtAlgorithm::kHs256, kAnn)), why);
  const std::string cut = Token(signer_, JwtAlgorithm::kHs256, kAnn);
  const auto mac = DecodeBase64Url(cut.substr(cut.rfind('.') + 1)).value();
  const std::string text = cut.substr(0, cut.rfind('.') + 1);
  EXPECT_EQ(Why(text + EncodeBase64Url(mac.substr(0, 16))), why);
  EXPECT_EQ(Why(text + EncodeBase64Url(mac + "x")), why);
}

// The classic: the public key, which everybody has, taken for a secret.
TEST(KeyConfusionTest, APublicKeyIsNoSecret) {
  const Signer rsa = Signer::Rsa();
  const KeysFile keys(rsa.PublicPem());
  const std::string forged = Token(Signer::Secret(rsa.PublicPem()), JwtAlgorithm::kHs256, kAnn);
  const auto only_rsa = LoadSound({.algorithms = {JwtAlgorithm::kRs256}, .keys_file = keys.path()});
  EXPECT_EQ(only_rsa->Verify(forged, kNow).why, "the token's algorithm is not allowed");
  EXPECT_TRUE(only_rsa->Verify(Token(rsa, JwtAlgorithm::kRs256, kAnn), kNow).claims);

  const auto both = LoadSound({.algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kHs256},
                               .secret = kSecret,
                               .keys_file = keys.path()});
  EXPECT_EQ(both->Verify(forged, kNow).why, "the token is not signed by our keys");
  EXPECT_TRUE(both->Verify(Token(rsa, JwtAlgorithm::kRs256, kAnn), kNow).claims);
  EXPECT_TRUE(
      both->Verify(Token(Signer::Secret(kSecret), JwtAlgorithm::kHs256, kAnn), kNow).claims);
}

struct Case {
  JwtAlgorithm algorithm;
  Signer (*signer)();
};

class AlgorithmTest : public testing::TestWithParam<Case> {};

TEST_P(AlgorithmTest, BelievesItsOwnKeyOnly) {
  const JwtAlgorithm algorithm = GetParam().algorithm;
  const Signer ours = GetParam().signer();
  const Signer theirs = GetParam().signer();
  const std::string token = Token(ours, algorithm, kAnn);
  const std::string stolen = Token(theirs, algorithm, kAnn);
  const KeysFile pem(ours.PublicPem());
  const KeysFile certificate(ours.CertificatePem());
  const KeysFile set(nlohmann::json{{"keys", {ours.Jwk()}}}.dump());
  for (const KeysFile* file : {&pem, &certificate, &set}) {
    const auto verifier = LoadSound({.algorithms = {algorithm}, .keys_file = file->path()});
    const JwtVerdict verdict = verifier->Verify(token, kNow);
    ASSERT_TRUE(verdict.claims) << verdict.why;
    EXPECT_EQ(verdict.claims->Text("sub"), "ann");
    EXPECT_EQ(verifier->Verify(stolen, kNow).why, "the token is not signed by our keys");
  }
}

TEST_P(AlgorithmTest, EveryByteOfASignatureCounts) {
  const JwtAlgorithm algorithm = GetParam().algorithm;
  const Signer signer = GetParam().signer();
  const KeysFile keys(signer.PublicPem());
  const auto verifier = LoadSound({.algorithms = {algorithm}, .keys_file = keys.path()});
  const std::string token = Token(signer, algorithm, kAnn);
  const std::string text = token.substr(0, token.rfind('.') + 1);
  const std::string signature = DecodeBase64Url(token.substr(text.size())).value();
  const auto is_believed = [&](const std::string& other) {
    return verifier->Verify(text + EncodeBase64Url(other), kNow).claims.has_value();
  };
  EXPECT_TRUE(is_believed(signature));
  for (std::size_t at = 0; at < signature.size(); ++at) {
    std::string other = signature;
    other[at] = static_cast<char>(other[at] ^ 0x40);
    EXPECT_FALSE(is_believed(other)) << at;
  }
  const std::string zeros(signature.size(), '\0');
  for (const std::string& other :
       {zeros, std::string(), '\0' + signature, signature + '\0', signature + signature,
        signature.substr(1), signature.substr(0, signature.size() - 1)}) {
    EXPECT_FALSE(is_believed(other));
  }
}

Signer Rsa() { return Signer::Rsa(); }
Signer P256() { return Signer::Curve("P-256"); }
Signer P384() { return Signer::Curve("P-384"); }
Signer P521() { return Signer::Curve("P-521"); }
Signer Ed25519() { return Signer::Edwards("ED25519"); }
Signer Ed448() { return Signer::Edwards("ED448"); }

INSTANTIATE_TEST_SUITE_P(
    All, AlgorithmTest,
    testing::Values(Case{JwtAlgorithm::kRs256, Rsa}, Case{JwtAlgorithm::kRs384, Rsa},
                    Case{JwtAlgorithm::kRs512, Rsa}, Case{JwtAlgorithm::kPs256, Rsa},
                    Case{JwtAlgorithm::kPs384, Rsa}, Case{JwtAlgorithm::kPs512, Rsa},
                    Case{JwtAlgorithm::kEs256, P256}, Case{JwtAlgorithm::kEs384, P384},
                    Case{JwtAlgorithm::kEs512, P521}, Case{JwtAlgorithm::kEdDsa, Ed25519},
                    Case{JwtAlgorithm::kEdDsa, Ed448}),
    [](const auto& one) {
      return std::string(NameOf(one.param.algorithm)) + "_" + std::to_string(one.index);
    });

// A key of another curve or padding is not tried, though OpenSSL would take it.
TEST(AlgorithmKindTest, AnAlgorithmTakesKeysOfItsKindOnly) {
  const Signer p384 = Signer::Curve("P-384");
  const KeysFile keys(p384.PublicPem() + Signer::Curve("P-256").PublicPem());
  const auto verifier = LoadSound({.algorithms = {JwtAlgorithm::kEs256}, .keys_file = keys.path()});
  EXPECT_FALSE(verifier->Verify(Token(p384, JwtAlgorithm::kEs256, kAnn), kNow).claims);

  const Signer rsa = Signer::Rsa();
  const KeysFile rsa_keys(rsa.PublicPem());
  const auto both = LoadSound(
      {.algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kPs256}, .keys_file = rsa_keys.path()});
  EXPECT_TRUE(both->Verify(Token(rsa, JwtAlgorithm::kRs256, kAnn), kNow).claims);
  EXPECT_FALSE(
      both->Verify(Token(rsa, JwtAlgorithm::kRs256, R"({"alg":"PS256"})", kAnn), kNow).claims);
}

TEST(AlgorithmKindTest, SecretsOfAllThreeLengths) {
  const std::string secret = kSecret + kSecret;
  const auto verifier =
      LoadSound({.algorithms = {JwtAlgorithm::kHs256, JwtAlgorithm::kHs384, JwtAlgorithm::kHs512},
                 .secret = secret});
  for (const auto algorithm : {JwtAlgorithm::kHs256, JwtAlgorithm::kHs384, JwtAlgorithm::kHs512}) {
    EXPECT_TRUE(verifier->Verify(Token(Signer::Secret(secret), algorithm, kAnn), kNow).claims);
  }
  const std::string mixed =
      Token(Signer::Secret(secret), JwtAlgorithm::kHs256, R"({"alg":"HS512"})", kAnn);
  EXPECT_FALSE(verifier->Verify(mixed, kNow).claims);
}

// A signature is a number of fixed length: without its leading zero it is another text of the same
// number, which OpenSSL takes for PSS.
TEST(AlgorithmKindTest, AnRsaSignatureIsAsLongAsItsKey) {
  const Signer rsa = Signer::Rsa();
  const KeysFile keys(rsa.PublicPem());
  const auto verifier = LoadSound({.algorithms = {JwtAlgorithm::kPs256}, .keys_file = keys.path()});
  const std::string text = EncodeBase64Url(R"({"alg":"PS256"})") + "." + EncodeBase64Url(kAnn);
  std::string signature;
  do {
    signature = rsa.Sign(JwtAlgorithm::kPs256, text);  // salted: another one each time
  } while (signature[0] != '\0');
  const auto is_believed = [&](const std::string& other) {
    return verifier->Verify(text + "." + EncodeBase64Url(other), kNow).claims.has_value();
  };
  EXPECT_TRUE(is_believed(signature));
  EXPECT_FALSE(is_believed(signature.substr(1)));
  EXPECT_FALSE(is_believed('\0' + signature));
}

TEST(AlgorithmKindTest, ASaltIsAsLongAsTheHash) {
  const Signer rsa = Signer::Rsa();
  const KeysFile keys(rsa.PublicPem());
  const auto verifier = LoadSound({.algorithms = {JwtAlgorithm::kPs256}, .keys_file = keys.path()});
  const std::string text = EncodeBase64Url(R"({"alg":"PS256"})") + "." + EncodeBase64Url(kAnn);
  for (const int salt : {0, 20, 31, 32, 33, 64}) {
    const std::string signature = rsa.SignWithSalt(JwtAlgorithm::kPs256, text, salt);
    const JwtVerdict verdict = verifier->Verify(text + "." + EncodeBase64Url(signature), kNow);
    EXPECT_EQ(verdict.claims.has_value(), salt == 32) << salt;
  }
}

// A failed check leaves nothing in OpenSSL's queue, which a TLS connection of this thread would
// read.
TEST(AlgorithmKindTest, LeavesNoErrorsBehind) {
  ERR_clear_error();
  const Signer p256 = Signer::Curve("P-256");
  const KeysFile keys(p256.PublicPem());
  const auto verifier = LoadSound({.algorithms = {JwtAlgorithm::kEs256}, .keys_file = keys.path()});
  const std::string text = EncodeBase64Url(R"({"alg":"ES256"})") + "." + EncodeBase64Url(kAnn);
  EXPECT_FALSE(
      verifier->Verify(text + "." + EncodeBase64Url(std::string(64, '\xff')), kNow).claims);
  const KeysFile broken("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  EXPECT_FALSE(
      JwtVerifier::Load({.algorithms = {JwtAlgorithm::kEs256}, .keys_file = broken.path()}).value);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace connguard
