// Targets, queries and cookies.
#include "heads.h"

namespace connguard {
namespace {

TEST(TargetTest, PercentEscapesAreDecoded) {
  EXPECT_EQ(PercentDecode("us%65r"), "user");
  EXPECT_EQ(PercentDecode("%C3%a4+%2B"), "\xC3\xA4++");
  EXPECT_EQ(PercentDecode("%00"), std::string(1, '\0'));
}

TEST(TargetTest, InvalidEscapesStay) {
  for (const char* text : {"%", "%4", "%zz", "%4g", "a%", "%%"}) {
    EXPECT_EQ(PercentDecode(text), text);
  }
  EXPECT_EQ(PercentDecode("%%41"), "%A");
  EXPECT_EQ(PercentDecode("%2541"), "%41") << "once only";
}

TEST(TargetTest, PathIsWithoutQueryAndStillEncoded) {
  EXPECT_EQ(PathOf("/ws/us%65r?x=/y"), "/ws/us%65r");
  EXPECT_EQ(PathOf("/"), "/");
  EXPECT_EQ(PathOf("*"), "*");
  EXPECT_EQ(PathOf("http://a:1/b/c?d"), "/b/c");
  EXPECT_EQ(PathOf("ws://a"), "/");
  EXPECT_EQ(PathOf("ws://a?x"), "/");
  EXPECT_EQ(PathOf("/http://a/b"), "/http://a/b");
}

TEST(TargetTest, QueryIsBehindTheFirstQuestionMark) {
  EXPECT_EQ(QueryOf("/a?b=c?d"), "b=c?d");
  EXPECT_EQ(QueryOf("/a"), "");
  EXPECT_EQ(QueryOf("http://a?b"), "b");
}

TEST(TargetTest, QueryValueIsTheLastAndDecoded) {
  EXPECT_EQ(QueryValue("a=1&b=2&b=3", "b"), "3");
  EXPECT_EQ(QueryValue("us%65r=a+b%20c", "user"), "a b c");
  EXPECT_EQ(QueryValue("a=b=c", "a"), "b=c");
  EXPECT_EQ(QueryValue("&&a&b", "a"), "");
  EXPECT_EQ(QueryValue("ab=1", "a"), std::nullopt);
  EXPECT_EQ(QueryValue("", "a"), std::nullopt);
}

TEST(TargetTest, CookieValueIsTheLastWithoutQuotes) {
  const std::vector<Field> fields = {{"cookie", "a=1; session=1;b"},
                                     {"Cookie", "session=2; c= us%65r ;d=e=f; session=\"x y\""},
                                     {"X", "x=y"}};
  EXPECT_EQ(CookieValue(fields, "session"), "x y");
  EXPECT_EQ(CookieValue(fields, "c"), "us%65r");
  EXPECT_EQ(CookieValue(fields, "d"), "e=f");
  EXPECT_EQ(CookieValue(fields, "b"), "");
  EXPECT_EQ(CookieValue(fields, "A"), std::nullopt);
  EXPECT_EQ(CookieValue(fields, "x"), std::nullopt);
}

}  // namespace
}  // namespace connguard
