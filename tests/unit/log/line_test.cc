// The form of a log line: what every reader of the log relies on.
#include "log/line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace connguard {
namespace {

using std::chrono::system_clock;

constexpr system_clock::time_point kTime = std::chrono::sys_days(std::chrono::year(2026) / 3 / 7) +
                                           std::chrono::hours(9) + std::chrono::minutes(8) +
                                           std::chrono::seconds(5) + std::chrono::milliseconds(42);

std::string Line(LogFormat format, const std::vector<LogField>& fields,
                 std::string_view name = "tunnel_closed", LogLevel level = LogLevel::kInfo) {
  std::string out;
  AppendLine(format, {kTime, level, name, fields}, out);
  return out;
}

std::string JsonString(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

TEST(LogLineTest, JsonHasTimeLevelEventAndTheFieldsInOrder) {
  EXPECT_EQ(Line(LogFormat::kJson,
                 {{"route", "chat"}, {"epoch", 8U}, {"shield_ms", Millis(2170)}, {"tls", false}}),
            "{\"ts\":\"2026-03-07T09:08:05.042Z\",\"level\":\"info\",\"event\":\"tunnel_closed\","
            "\"route\":\"chat\",\"epoch\":8,\"shield_ms\":2170,\"tls\":false}\n");
}

TEST(LogLineTest, TextHasBareWordsAndQuotesWhatIsAmbiguous) {
  EXPECT_EQ(Line(LogFormat::kText,
                 {{"route", "chat"}, {"why", "no answer"}, {"path", "/a=b"}, {"reason", ""}},
                 "tunnel_closed", LogLevel::kWarn),
            "2026-03-07T09:08:05.042Z warn tunnel_closed route=chat why=\"no answer\" "
            "path=\"/a=b\" reason=\"\"\n");
}

TEST(LogLineTest, LogfmtNamesTimeLevelAndEventAsWell) {
  EXPECT_EQ(Line(LogFormat::kLogfmt, {{"route", "chat"}, {"epoch", 8U}, {"tls", false}}),
            "ts=2026-03-07T09:08:05.042Z level=info event=tunnel_closed route=chat epoch=8 "
            "tls=false\n");
}

TEST(LogLineTest, LogfmtQuotesWhatWouldBeReadAsSomethingElse) {
  EXPECT_EQ(Line(LogFormat::kLogfmt, {{"space", "a b"},
                                      {"equals", "a=b"},
                                      {"quote", "a\"b"},
                                      {"line", "a\nlevel=error"},
                                      {"path", "/ws/ann?x"},
                                      {"real", std::numeric_limits<double>::infinity()},
                                      {"none", ""}})
                .substr(58),
            " space=\"a b\" equals=\"a=b\" quote=\"a\\\"b\" line=\"a\\nlevel=error\" "
            "path=/ws/ann?x real=null none=\"\"\n");
}

TEST(LogLineTest, EveryLevelHasItsWord) {
  std::string words;
  for (const auto level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    words += Line(LogFormat::kText, {}, "e", level).substr(24);
  }
  EXPECT_EQ(words, " debug e\n info e\n warn e\n error e\n");
}

TEST(LogLineTest, TimesBeforeTheEpochAndAtTheEndOfAYearAreWholeDates) {
  std::string out;
  const auto last =
      std::chrono::sys_days(std::chrono::year(1969) / 12 / 31) + std::chrono::hours(24);
  AppendLine(LogFormat::kText, {last - std::chrono::microseconds(1), LogLevel::kInfo, "e", {}},
             out);
  EXPECT_EQ(out, "1969-12-31T23:59:59.999Z info e\n");
}

TEST(LogLineTest, NumbersKeepTheirWholeRange) {
  EXPECT_EQ(Line(LogFormat::kText, {{"max", std::numeric_limits<std::uint64_t>::max()},
                                    {"min", std::numeric_limits<std::int64_t>::min()},
                                    {"real", 0.25},
                                    {"small", std::uint8_t{7}}})
                .substr(44),
            "max=18446744073709551615 min=-9223372036854775808 real=0.25 small=7\n");
}

TEST(LogLineTest, NumbersThatJsonDoesNotKnowAreNull) {
  const auto infinity = std::numeric_limits<double>::infinity();
  const auto line = nlohmann::json::parse(
      Line(LogFormat::kJson, {{"a", infinity}, {"b", std::numeric_limits<double>::quiet_NaN()}}));
  EXPECT_TRUE(line["a"].is_null());
  EXPECT_TRUE(line["b"].is_null());
}

TEST(LogLineTest, QuotesBackslashesAndControlCharactersAreEscaped) {
  EXPECT_EQ(JsonString(std::string_view("a\"b\\c\n\r\t\0\x1b\x7f", 11)),
            R"("a\"b\\c\n\r\t\u0000\u001b\u007f")");
}

TEST(LogLineTest, NoByteSequenceBreaksTheLineOrItsJson) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second), 'x'};
      const std::string line = Line(LogFormat::kJson, {{"key", text}});
      ASSERT_EQ(line.find('\n'), line.size() - 1) << first << " " << second;
      const auto parsed = nlohmann::json::parse(line, nullptr, false);
      ASSERT_FALSE(parsed.is_discarded()) << first << " " << second;
      const std::string plain = Line(LogFormat::kText, {{"key", text}});
      ASSERT_EQ(plain.find('\n'), plain.size() - 1) << first << " " << second;
    }
  }
}

TEST(LogLineTest, TextThatIsUtf8StaysAsItIs) {
  const std::string text = "Grüße, 你好, 🐈 \xED\x9F\xBF \xEE\x80\x80 \xF4\x8F\xBF\xBF";
  EXPECT_EQ(JsonString(text), "\"" + text + "\"");
}

TEST(LogLineTest, BytesThatAreNotUtf8BecomeOneReplacementForEachMaximalPart) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(JsonString("a\xFFz"), "\"a" + r + "z\"");
  EXPECT_EQ(JsonString("\xC0\xAF"), "\"" + r + r + "\"");                  // overlong
  EXPECT_EQ(JsonString("\xE0\x80\x80"), "\"" + r + r + r + "\"");          // overlong
  EXPECT_EQ(JsonString("\xED\xA0\x80"), "\"" + r + r + r + "\"");          // a surrogate
  EXPECT_EQ(JsonString("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");  // above U+10FFFF
  EXPECT_EQ(JsonString("\xE4\xBD z"), "\"" + r + " z\"");                  // cut in the middle
  EXPECT_EQ(JsonString("\xF0\x9F\x90"), "\"" + r + "\"");                  // cut by the end
  EXPECT_EQ(JsonString("\xE4\xBD\xE4\xBD\xA0"), "\"" + r + "你\"");
}

TEST(LogLineTest, ControlCharactersBeyondAsciiDoNotReachATerminal) {
  EXPECT_EQ(JsonString("\xC2\x9B"
                       "2J\xC2\xA0"),
            "\"\\u009b2J\xC2\xA0\"");
}

}  // namespace
}  // namespace connguard
