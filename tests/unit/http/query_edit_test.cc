// Credentials in a URL: what is taken out, and what must stay as it is.
#include "http/query_edit.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

std::string Without(std::string_view target, const std::vector<std::string>& names = {"token"}) {
  return WithoutParameters(target, names);
}

TEST(QueryEditTest, TheParameterGoesAndTheRestStaysByteByByte) {
  EXPECT_EQ(Without("/ws?token=x&a=1"), "/ws?a=1");
  EXPECT_EQ(Without("/ws?a=1&token=x"), "/ws?a=1");
  EXPECT_EQ(Without("/ws?a=1&token=x&b=2"), "/ws?a=1&b=2");
  EXPECT_EQ(Without("/%77s//?b=%zz+%20&token=x&a==&b"), "/%77s//?b=%zz+%20&a==&b");
  EXPECT_EQ(Without("http://h:1/p?token=x&a=1"), "http://h:1/p?a=1");
  EXPECT_EQ(Without("/ws?&&token=x&&a&"), "/ws?&&&a&");
}

TEST(QueryEditTest, TheQuestionMarkGoesWithTheLastParameter) {
  EXPECT_EQ(Without("/ws?token=x"), "/ws");
  EXPECT_EQ(Without("/ws?token"), "/ws");
  EXPECT_EQ(Without("/ws?token=x&token=y"), "/ws");
  EXPECT_EQ(Without("/ws?token=x#f"), "/ws#f");
  EXPECT_EQ(Without("http://h?token=x"), "http://h");
}

TEST(QueryEditTest, WhereNothingGoesNothingChanges) {
  for (const char* target :
       {"/", "/ws", "/ws?", "/ws?#", "/ws?a=token", "/ws?tokens=1&atoken=2&Token=3", "/ws?&",
        "/token=x", "/ws#?token=x", "*", "/ws?a=1;token=x", "/ws?%2574oken=x", "/ws?token%3Dx"}) {
    EXPECT_EQ(Without(target), target);
  }
  EXPECT_EQ(Without("/ws?token=x", {}), "/ws?token=x");
}

TEST(QueryEditTest, NamesAreComparedAsTheBackendReadsThem) {
  EXPECT_EQ(Without("/ws?%74oken=x&t%6Fken=y&a"), "/ws?a");
  EXPECT_EQ(Without("/ws?a+b=1&a%20b=2&a%2Bb=3", {"a b"}), "/ws?a%2Bb=3");
  EXPECT_EQ(Without("/ws?x=1&token=2&y=3", {"x", "y"}), "/ws?token=2");
}

TEST(QueryEditTest, TheFirstValueCountsDecoded) {
  EXPECT_EQ(FirstParameter("/ws?a=1&t=x+y%2Bz&t=2", "t"), "x y+z");
  EXPECT_EQ(FirstParameter("/ws?%74=a=b&t=2", "t"), "a=b");
  EXPECT_EQ(FirstParameter("/ws?t", "t"), "");
  EXPECT_EQ(FirstParameter("/ws?t=1#t=2", "t"), "1");
  EXPECT_EQ(FirstParameter("/ws#?t=1", "t"), std::nullopt);
  EXPECT_EQ(FirstParameter("/ws?tt=1", "t"), std::nullopt);
}

RouteConfig Lifting() {
  RouteConfig route;
  route.strip_query = {"token"};
  route.lift = LiftConfig{"t", "Authorization", "Bearer ", ";v"};
  return route;
}

TEST(QueryEditTest, ALiftedValueIsInItsHeaderAndNotInTheTarget) {
  const QueryEdit edit = EditQuery("/ws?a=1&t=x%2Fy&token=z&t=2", Lifting());
  EXPECT_EQ(edit.target, "/ws?a=1");
  ASSERT_TRUE(edit.lifted);
  EXPECT_EQ(edit.lifted->name, "Authorization");
  EXPECT_EQ(edit.lifted->value, "Bearer x/y;v");
  EXPECT_FALSE(edit.refusal);
}

TEST(QueryEditTest, WithoutAValueNothingIsLifted) {
  for (const char* target : {"/ws?a=1", "/ws?a=1&t=", "/ws?t&a=1"}) {
    const QueryEdit edit = EditQuery(target, Lifting());
    EXPECT_EQ(edit.target, "/ws?a=1");
    EXPECT_FALSE(edit.lifted) << target;
    EXPECT_FALSE(edit.refusal) << target;
  }
}

TEST(QueryEditTest, AValueThatWouldEndTheFieldIsRefused) {
  for (const char* value :
       {"a%0d%0aX-Admin:1", "a%0A", "%0D", "%00", "a%09b", "%1F", "%7f", "a%0d"}) {
    const QueryEdit edit = EditQuery(std::string("/ws?t=") + value, Lifting());
    ASSERT_TRUE(edit.refusal) << value;
    EXPECT_EQ(edit.refusal->status, 400) << value;
    EXPECT_FALSE(edit.lifted) << value;
  }
  EXPECT_FALSE(EditQuery("/ws?token=%0d%0a&t=%20%C3%A9", Lifting()).refusal);
}

TEST(QueryEditTest, ARouteThatSaysNothingChangesNothing) {
  const QueryEdit edit = EditQuery("/ws?t=%0a&token", RouteConfig{});
  EXPECT_EQ(edit.target, "/ws?t=%0a&token");
  EXPECT_FALSE(edit.lifted);
  EXPECT_FALSE(edit.refusal);
}

}  // namespace
}  // namespace connguard
