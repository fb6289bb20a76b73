// Which key of a set a token is checked with.
#include <gtest/gtest.h>

#include "signer.h"

namespace connguard {
namespace {

using nlohmann::json;
using test::KeysFile;
using test::kNow;
using test::LoadSound;
using test::Signer;
using test::Token;

const std::string kAnn = R"({"sub":"ann"})";
const std::string kRefused = "the token is not signed by our keys";

json Named(json key, const std::string& id) {
  key["kid"] = id;
  return key;
}

std::string Set(const std::vector<json>& keys) { return json{{"keys", keys}}.dump(); }

class KeyChoiceTest : public testing::Test {
 protected:
  std::string Why(const std::string& keys, const std::string& header, const Signer& signer,
                  const std::vector<JwtAlgorithm>& algorithms = {JwtAlgorithm::kEs256}) const {
    const KeysFile file(keys);
    const auto verifier = LoadSound({.algorithms = algorithms, .keys_file = file.path()});
    return verifier->Verify(Token(signer, JwtAlgorithm::kEs256, header, kAnn), kNow).why;
  }

  const Signer one_ = Signer::Curve("P-256");
  const Signer two_ = Signer::Curve("P-256");
  const std::string nameless_ = R"({"alg":"ES256"})";
  const std::string names_one_ = R"({"alg":"ES256","kid":"one"})";
  const std::string names_two_ = R"({"alg":"ES256","kid":"two"})";
};

TEST_F(KeyChoiceTest, AKidPicksTheKey) {
  const std::string set = Set({Named(one_.Jwk(), "one"), Named(two_.Jwk(), "two")});
  EXPECT_EQ(Why(set, names_one_, one_), "");
  EXPECT_EQ(Why(set, names_two_, two_), "");
  EXPECT_EQ(Why(set, names_two_, one_), kRefused);
  EXPECT_EQ(Why(set, R"({"alg":"ES256","kid":"One"})", one_), kRefused);
  EXPECT_EQ(Why(set, R"({"alg":"ES256","kid":""})", one_), kRefused);
}

TEST_F(KeyChoiceTest, WithoutAKidAllAreTried) {
  const std::string set = Set({Named(one_.Jwk(), "one"), Named(two_.Jwk(), "two")});
  EXPECT_EQ(Why(set, nameless_, one_), "");
  EXPECT_EQ(Why(set, nameless_, two_), "");
  EXPECT_EQ(Why(set, nameless_, Signer::Curve("P-256")), kRefused);
}

TEST_F(KeyChoiceTest, AKidSaysNothingWhereNoKeyHasOne) {
  EXPECT_EQ(Why(Set({one_.Jwk(), two_.Jwk()}), names_two_, two_), "");
  EXPECT_EQ(Why(one_.PublicPem() + two_.PublicPem(), names_two_, two_), "");
}

TEST_F(KeyChoiceTest, ANamelessKeyIsNotPickedByName) {
  EXPECT_EQ(Why(Set({Named(one_.Jwk(), "one"), two_.Jwk()}), names_two_, two_), kRefused);
}

TEST_F(KeyChoiceTest, KeysOfOneNameAreAllTried) {
  const std::string set = Set({Named(one_.Jwk(), "one"), Named(two_.Jwk(), "one")});
  EXPECT_EQ(Why(set, names_one_, two_), "");
}

TEST_F(KeyChoiceTest, AKeyCanBeForOneAlgorithm) {
  json key = one_.Jwk();
  key["alg"] = "ES256";
  EXPECT_EQ(Why(Set({key}), nameless_, one_), "");

  const Signer rsa = Signer::Rsa();
  json rsa_key = rsa.Jwk();
  rsa_key["alg"] = "PS256";
  const KeysFile file(Set({rsa_key}));
  const auto verifier = LoadSound(
      {.algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kPs256}, .keys_file = file.path()});
  EXPECT_EQ(verifier->Verify(Token(rsa, JwtAlgorithm::kPs256, kAnn), kNow).why, "");
  EXPECT_EQ(verifier->Verify(Token(rsa, JwtAlgorithm::kRs256, kAnn), kNow).why, kRefused);
}

// As in the sets that identity providers publish: keys for encryption, and types of tomorrow.
TEST_F(KeyChoiceTest, KeysForOtherUsesAreLeftOut) {
  json encryption = two_.Jwk();
  encryption["use"] = "enc";
  json wrapping = two_.Jwk();
  wrapping["alg"] = "ECDH-ES";
  json signing = two_.Jwk();
  signing["key_ops"] = {"sign"};
  const json unknown = {{"kty", "AKP"}, {"alg", "ML-DSA-44"}, {"pub", "AA"}};
  const json exchange = {{"kty", "OKP"}, {"crv", "X25519"}, {"x", "AA"}};
  const json bitcoin = {{"kty", "EC"}, {"crv", "secp256k1"}, {"x", "AA"}, {"y", "AA"}};
  json ours = one_.Jwk();
  ours["use"] = "sig";
  ours["key_ops"] = {"verify"};
  const std::string set = Set({encryption, wrapping, signing, unknown, exchange, bitcoin, ours});
  EXPECT_EQ(Why(set, nameless_, one_), "");
  EXPECT_EQ(Why(set, nameless_, two_), kRefused);
}

}  // namespace
}  // namespace connguard
