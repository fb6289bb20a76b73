#include "auth/members.h"

#include <gtest/gtest.h>

#include "auth/jwt.h"

namespace connguard {
namespace {

using Kind = JsonMember::Kind;

TEST(MembersTest, TellsKindsApart) {
  const auto members = ParseMembers(
      R"({"text":"a\u00e9","whole":-12,"large":123456789012345678901234567890,"part":1.5,)"
      R"("e":1e3,"texts":["a","b"],"none":[],"mixed":["a",1],"deep":[["a"]],"o":{"text":"x"},)"
      R"("flag":true,"null":null})");
  ASSERT_TRUE(members);
  EXPECT_EQ(members->at("text").text, "a\xc3\xa9");
  EXPECT_EQ(members->at("whole").text, "-12");
  EXPECT_EQ(members->at("whole").number, -12);
  EXPECT_EQ(members->at("large").kind, Kind::kWhole);
  EXPECT_EQ(members->at("large").text, "123456789012345678901234567890");
  EXPECT_EQ(members->at("part").kind, Kind::kNumber);
  EXPECT_EQ(members->at("part").number, 1.5);
  EXPECT_EQ(members->at("e").kind, Kind::kNumber);
  EXPECT_EQ(members->at("texts").texts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(members->at("none").kind, Kind::kTexts);
  for (const char* const other : {"mixed", "deep", "o", "flag", "null"}) {
    EXPECT_EQ(members->at(other).kind, Kind::kOther) << other;
  }
  EXPECT_EQ(members->size(), 12U);
}

TEST(MembersTest, RefusesWhatIsNoSoundObject) {
  const std::string_view nul("{}\0{}", 5);
  for (const std::string_view json :
       {std::string_view(""), std::string_view("[]"), std::string_view("\"a\""),
        std::string_view("1"), std::string_view("null"), std::string_view("{"),
        std::string_view("{}{}"), std::string_view("{'a':1}"), std::string_view(R"({"a":1,})"),
        std::string_view(R"({"a":01})"), std::string_view(R"({"a":NaN})"),
        std::string_view(R"({"a":1e999})"), std::string_view("{\"a\":\"\xff\"}"),
        std::string_view(R"({"a":"\ud800"})"), std::string_view("\xef\xbb\xbf{}"),
        std::string_view("/**/{}"), nul}) {
    EXPECT_FALSE(ParseMembers(json)) << json;
  }
}

TEST(MembersTest, RefusesTwoMembersOfOneName) {
  EXPECT_FALSE(ParseMembers(R"({"a":1,"b":2,"a":1})"));
  EXPECT_FALSE(ParseMembers(R"({"a":1,"\u0061":1})"));
  EXPECT_TRUE(ParseMembers(R"({"a":{"b":1},"b":{"b":1}})"));
}

TEST(MembersTest, NestingIsBounded) {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(ParseMembers(nested(kDeepestJson)));
  EXPECT_FALSE(ParseMembers(nested(kDeepestJson + 1)));
  EXPECT_FALSE(ParseMembers(nested(100'000)));
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += R"({"a":)";
  EXPECT_FALSE(ParseMembers(objects));
}

TEST(MembersTest, FindsOneMemberWhereverItIs) {
  const std::string json = R"({"o":{"x":"inner"},"l":["x"],"x":"outer","last":["a","b"]})";
  EXPECT_EQ(FindMember(json, "x")->text, "outer");
  EXPECT_EQ(FindMember(json, "last")->texts.size(), 2U);
  EXPECT_EQ(FindMember(json, "o")->kind, Kind::kOther);
  EXPECT_FALSE(FindMember(json, "inner"));
  EXPECT_FALSE(FindMember(json, ""));
}

TEST(ClaimsTest, AreTextWhereTheyAreStringsOrWholeNumbers) {
  const JwtClaims claims(
      R"({"sub":"ann","id":42,"big":18446744073709551616,"empty":"","half":0.5,"yes":true,)"
      R"("no":null,"list":["a"],"object":{"a":"b"}})");
  EXPECT_EQ(claims.Text("sub"), "ann");
  EXPECT_EQ(claims.Text("id"), "42");
  EXPECT_EQ(claims.Text("big"), "18446744073709551616");
  EXPECT_EQ(claims.Text("empty"), "");
  for (const char* const other : {"half", "yes", "no", "list", "object", "a", "", "missing"}) {
    EXPECT_EQ(claims.Text(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace connguard
