// exp, nbf, iss and aud (RFC 7519 §4.1).
#include <gtest/gtest.h>

#include "signer.h"

namespace connguard {
namespace {

using test::kNow;
using test::kSecret;
using test::LoadSound;
using test::SecretConfig;
using test::Signer;
using test::Token;

using namespace std::chrono_literals;

std::string Why(const JwtConfig& config, const std::string& payload,
                std::chrono::system_clock::time_point now = kNow) {
  const std::string token = Token(Signer::Secret(kSecret), JwtAlgorithm::kHs256, payload);
  return LoadSound(config)->Verify(token, now).why;
}

std::string WhyTimes(const std::string& payload, std::chrono::system_clock::duration after = 0s) {
  JwtConfig config = SecretConfig();
  config.leeway = Millis(2'500);
  return Why(config, payload, kNow + after);
}

TEST(ClaimTimesTest, ATokenEndsWithItsExpAndTheLeeway) {
  const std::string payload = R"({"exp":1800000000})";
  EXPECT_EQ(WhyTimes(payload, -1h), "");
  EXPECT_EQ(WhyTimes(payload, 0s), "");
  EXPECT_EQ(WhyTimes(payload, 2'499ms), "");
  EXPECT_EQ(WhyTimes(payload, 2'500ms), "the token has expired");
  EXPECT_EQ(WhyTimes(payload, 1h), "the token has expired");
}

TEST(ClaimTimesTest, ATokenBeginsWithItsNbfLessTheLeeway) {
  const std::string payload = R"({"nbf":1800000000})";
  EXPECT_EQ(WhyTimes(payload, -2'501ms), "the token is not valid yet");
  EXPECT_EQ(WhyTimes(payload, -2'500ms), "");
  EXPECT_EQ(WhyTimes(payload, 0s), "");
}

TEST(ClaimTimesTest, WithoutLeeway) {
  JwtConfig config = SecretConfig();
  config.leeway = Millis(0);
  EXPECT_EQ(Why(config, R"({"exp":1800000000})", kNow - 1ms), "");
  EXPECT_EQ(Why(config, R"({"exp":1800000000})", kNow), "the token has expired");
  EXPECT_EQ(Why(config, R"({"nbf":1800000000})", kNow), "");
  EXPECT_EQ(Why(config, R"({"nbf":1800000000})", kNow - 1ms), "the token is not valid yet");
}

TEST(ClaimTimesTest, NumbersOfAnyForm) {
  EXPECT_EQ(WhyTimes(R"({"exp":1800000000.25})", 2'749ms), "");
  EXPECT_EQ(WhyTimes(R"({"exp":1800000000.25})", 2'750ms), "the token has expired");
  EXPECT_EQ(WhyTimes(R"({"exp":1.8e9})"), "");
  EXPECT_EQ(WhyTimes(R"({"exp":1e3})"), "the token has expired");
  EXPECT_EQ(WhyTimes(R"({"exp":0})"), "the token has expired");
  EXPECT_EQ(WhyTimes(R"({"exp":-1})"), "the token has expired");
  EXPECT_EQ(WhyTimes("{}"), "");
}

TEST(ClaimTimesTest, LargeNumbersDoNotOverflow) {
  for (const char* const number :
       {"9223372036854775807", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "99999999999999999999999999999999", "1e300"}) {
    const std::string text = number;
    EXPECT_EQ(WhyTimes(R"({"exp":)" + text + "}"), "") << text;
    EXPECT_EQ(WhyTimes(R"({"exp":-)" + text + "}"), "the token has expired") << text;
    EXPECT_EQ(WhyTimes(R"({"nbf":)" + text + "}"), "the token is not valid yet") << text;
    EXPECT_EQ(WhyTimes(R"({"nbf":-)" + text + "}"), "") << text;
  }
  EXPECT_NE(WhyTimes(R"({"exp":1e400})"), "");
}

TEST(ClaimTimesTest, MustBeNumbers) {
  for (const char* const value :
       {R"("1900000000")", "null", "true", "[1900000000]", "{}", "\"\""}) {
    const std::string text = value;
    EXPECT_EQ(WhyTimes(R"({"exp":)" + text + "}"), "the token's exp is no number") << text;
    EXPECT_EQ(WhyTimes(R"({"nbf":)" + text + "}"), "the token's nbf is no number") << text;
  }
}

TEST(ClaimIssuerTest, IsExactlyOurs) {
  JwtConfig config = SecretConfig();
  config.issuer = "https://id.example";
  EXPECT_EQ(Why(config, R"({"iss":"https://id.example"})"), "");
  for (const char* const payload :
       {"{}", R"({"iss":"https://id.example/"})", R"({"iss":"HTTPS://id.example"})",
        R"({"iss":["https://id.example"]})", R"({"iss":""})", R"({"iss":null})",
        R"({"iss":"https://id.example\u0000"})"}) {
    EXPECT_EQ(Why(config, payload), "the token is not of our issuer") << payload;
  }
  EXPECT_EQ(Why(SecretConfig(), R"({"iss":5})"), "");
}

TEST(ClaimAudienceTest, HasOneOfOurs) {
  JwtConfig config = SecretConfig();
  config.audiences = {"chat", "voice"};
  for (const char* const payload : {R"({"aud":"chat"})", R"({"aud":"voice"})",
                                    R"({"aud":["x","voice"]})", R"({"aud":["chat"]})"}) {
    EXPECT_EQ(Why(config, payload), "") << payload;
  }
  for (const char* const payload :
       {"{}", R"({"aud":"chats"})", R"({"aud":"Chat"})", R"({"aud":[]})", R"({"aud":["x"]})",
        R"({"aud":["chat",1]})", R"({"aud":[["chat"]]})", R"({"aud":{"chat":"chat"}})",
        R"({"aud":null})", R"({"aud":"chat voice"})"}) {
    EXPECT_EQ(Why(config, payload), "the token is for another audience") << payload;
  }
  EXPECT_EQ(Why(SecretConfig(), R"({"aud":"else"})"), "");
}

}  // namespace
}  // namespace connguard
