// JsonInspector: matches and kinds, for texts of every sort of wrong.
#include <gtest/gtest.h>

#include "frames.h"
#include "ws/message_inspector.h"

namespace connguard {
namespace {

using testing::ToOctets;
using Kind = JsonInspector::Kind;

const std::vector<std::string> kEnds = {"chat", "error"};

class JsonInspectorTest : public ::testing::Test {
 protected:
  bool Matches(std::string_view text, std::string_view pointer = "/type") {
    return inspector_.Matches(ToOctets(text), pointer, kEnds);
  }
  Kind Classify(std::string_view text) { return inspector_.Classify(ToOctets(text)); }

  JsonInspector inspector_;
};

TEST_F(JsonInspectorTest, ValueAtThePointerMatches) {
  EXPECT_TRUE(Matches(R"({"type":"chat"})"));
  EXPECT_TRUE(Matches(" \r\n{ \"content\" : [1, 2.5e3, {\"a\": null}], \"type\" : \"error\" }\t"));
  EXPECT_TRUE(Matches(R"({"a":{"b/c":[0,{"~d":"chat"}]}})", "/a/b~1c/1/~0d"));
  EXPECT_TRUE(Matches(R"(["x","chat"])", "/1"));
  EXPECT_TRUE(Matches(R"({"t\u0079pe":"ch\u0061t"})"));
  EXPECT_TRUE(Matches(R"("chat")", ""));
}

TEST_F(JsonInspectorTest, OtherValuesDoNot) {
  EXPECT_FALSE(Matches(R"({"type":"chat_token"})"));
  EXPECT_FALSE(Matches(R"({"type":"cha"})"));
  EXPECT_FALSE(Matches(R"({"type":"Chat"})"));
  EXPECT_FALSE(Matches(R"({"type":["chat"]})"));
  EXPECT_FALSE(Matches(R"({"type":null})"));
  EXPECT_FALSE(Matches(R"({"type":1})"));
  EXPECT_FALSE(Matches(R"({"Type":"chat"})"));
  EXPECT_FALSE(Matches(R"({"a":{"type":"chat"}})"));
  EXPECT_FALSE(Matches(R"({"a":"\"type\":\"chat\""})"));
  EXPECT_FALSE(Matches(R"(["chat"])"));
  EXPECT_FALSE(Matches(R"("chat")"));
  EXPECT_FALSE(Matches(R"({"type":"chat"})", "type"));
  EXPECT_FALSE(Matches(R"({"type":"chat"})", ""));
  EXPECT_FALSE(Matches(R"({"type":"chat"})", "/type/x"));
}

TEST_F(JsonInspectorTest, TextThatIsNotJsonDoesNotMatchWhateverItHolds) {
  for (const char* text : {
           R"({"type":"chat")",
           R"({"type":"chat"}})",
           R"({"type":"chat"} x)",
           R"({"type":"chat",})",
           R"({"type":"chat","a":})",
           R"({"type":"chat","a":01})",
           R"({"type":"chat","a":tru})",
           R"({"type":"chat","a":"\x"})",
           R"({"type":"chat" "a":1})",
           R"({"type":"chat","a":[1 2]})",
           R"({"type":"chat","a":[1,]})",
           R"({"type":"chat",a:1})",
           R"({"type":"chat"}{})",
           "",
           "\xFF{\"type\":\"chat\"}",
           "{\"type\":\"chat\",\"a\":\"\xFF\"}",
           "\"",
           "\\",
           "{",
           "[",
       }) {
    EXPECT_FALSE(Matches(text)) << text;
  }
}

TEST_F(JsonInspectorTest, KindsAreTold) {
  EXPECT_EQ(Classify("{}"), Kind::kObject);
  EXPECT_EQ(Classify(" {\"a\": [true, false, null, -0.5E+10, \"\\ud83d\\u00e9\"]} \n"),
            Kind::kObject);
  for (const char* text : {"[]", "[{}]", "1", "-1.5e-3", "\"x\"", " true ", "null", "\"\\\"\""}) {
    EXPECT_EQ(Classify(text), Kind::kOtherJson) << text;
  }
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "{]",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{1:2}",
                           "[1,,2]",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "-",
                           "tru",
                           "'x'",
                           "\"x",
                           "\"\\\"",
                           "NaN",
                           "Infinity",
                           "{}{}",
                           "{} 1",
                           "1 2",
                           "hello",
                           "{\"a\":\"\t\"}",
                           "{\"a\n\":1}",
                           "[\"a\":1]",
                           "[\"a\":\"b\",1]",
                           "[\"\\u12g4\"]",
                           "\xEF\xBB\xBF{}",
                           "//\n{}",
                           "{\"\\q\":1}"}) {
    EXPECT_EQ(Classify(text), Kind::kNotJson) << text;
  }
  for (const char* text : {"\xFF", "{\"a\":\"\xC3\"}", "\"\xED\xA0\x80\"", "{}\xC0\x80"}) {
    EXPECT_EQ(Classify(text), Kind::kNotUtf8) << text;
  }
  EXPECT_EQ(Classify(std::string_view("{}\0", 3)), Kind::kNotJson);
}

TEST_F(JsonInspectorTest, NumbersAndStringsThatFitNoMachineTypeAreJson) {
  EXPECT_EQ(Classify(R"({"a":123456789012345678901234567890,"b":1e999,"c":"\ud83d"})"),
            Kind::kObject);
  EXPECT_TRUE(Matches(R"({"a":[123456789012345678901234567890,1e999,"\udc00"],"type":"chat"})"));
}

TEST_F(JsonInspectorTest, OddValuesDoNotMakeJsonOfOtherTexts) {
  for (const char* odd : {"1e999", "123456789012345678901234567890", "\"\\ud83d\""}) {
    const std::string begin = "[" + std::string(odd) + ",";
    EXPECT_EQ(Classify(begin + "-0.5e-3, \"\\\"1\\uDC00\\\\\"]"), Kind::kOtherJson) << begin;
    for (const char* end :
         {"", "]]", "01]", "1.]", "-]", "1 2]", "1-2]", "+1]", "1e]", "1x]", "x1]", "\"\\ud8\"]",
          "\"\\ud8zz\"]", "\"\\\"]", "\"a\":1]", "\"\\x\"]", "1\"a\"]"}) {
      EXPECT_EQ(Classify(begin + end), Kind::kNotJson) << begin << end;
    }
  }
}

TEST_F(JsonInspectorTest, DeepNestingIsSafe) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(Classify(nested(1'000)), Kind::kOtherJson);
  EXPECT_EQ(Classify(nested(1'100)), Kind::kNotJson);
  EXPECT_EQ(Classify(nested(1'000'000)), Kind::kNotJson);
  EXPECT_EQ(Classify(std::string(1'000'000, '[')), Kind::kNotJson);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"type\":";
  EXPECT_EQ(Classify(objects), Kind::kNotJson);
  EXPECT_FALSE(Matches(objects));
}

TEST_F(JsonInspectorTest, GiantTextsAreReadAndForgotten) {
  const std::string giant =
      R"({"pad":")" + std::string(16 * 1024 * 1024, 'x') + R"(","type":"chat"})";
  EXPECT_TRUE(Matches(giant));
  EXPECT_EQ(Classify(giant), Kind::kObject);
  EXPECT_TRUE(Matches(R"({"type":"chat"})"));
}

TEST_F(JsonInspectorTest, TextsDoNotLeakIntoEachOther) {
  EXPECT_EQ(Classify(R"({"a":"a long one, so that its rest stays in the buffer"})"), Kind::kObject);
  EXPECT_EQ(Classify(R"({"a":1)"), Kind::kNotJson);
  EXPECT_EQ(Classify(R"({"a":")"), Kind::kNotJson);
  EXPECT_EQ(Classify("{"), Kind::kNotJson);
}

}  // namespace
}  // namespace connguard
