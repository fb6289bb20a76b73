#include "auth/base64url.h"

#include <gtest/gtest.h>

#include "signer.h"

namespace connguard {
namespace {

TEST(Base64UrlTest, DecodesWhatAnEncoderWrites) {
  std::string bytes;
  for (int size = 0; size < 300; ++size) {
    EXPECT_EQ(DecodeBase64Url(test::EncodeBase64Url(bytes)), bytes);
    bytes += static_cast<char>(size * 7);
  }
  EXPECT_EQ(DecodeBase64Url("-_-_"), "\xfb\xff\xbf");  // the two letters that are its own
  EXPECT_EQ(DecodeBase64Url("A-z_4ME"), "\x03\xec\xff\xe0\xc1");  // RFC 7515 appendix C
}

TEST(Base64UrlTest, RefusesEveryOtherText) {
  for (const char* const text :
       {"A", "AAAAA", "YQ==", "YWI=", "YQ=", "=", "====", "AAA=AAAA", "+A", "/A", "A A", " AA",
        "AA ", "AA\n", "\tAA", "AA\r\n", "AA.A", "\xc3\xa4", "A*"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
  EXPECT_EQ(DecodeBase64Url(std::string_view("AA\0", 3)), std::nullopt);
}

TEST(Base64UrlTest, RefusesBitsThatAreLeftOver) {
  EXPECT_EQ(DecodeBase64Url("YQ"), "a");
  for (const char* const text : {"YR", "YS", "YX", "Yf"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
  EXPECT_EQ(DecodeBase64Url("YWI"), "ab");
  for (const char* const text : {"YWJ", "YWK", "YWL"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace connguard
