// Durations, sizes, addresses, UTF-8 and suggestions, one by one.
#include "config/scalars.h"

#include <gtest/gtest.h>

#include "config/address.h"
#include "config/suggest.h"
#include "config/utf8.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

TEST(ScalarsTest, DurationsAreExact) {
  EXPECT_EQ(ParseDuration("0").value, 0ms);
  EXPECT_EQ(ParseDuration("0s").value, 0ms);
  EXPECT_EQ(ParseDuration("500ms").value, 500ms);
  EXPECT_EQ(ParseDuration("0.1s").value, 100ms);
  EXPECT_EQ(ParseDuration("1.005s").value, 1005ms);
  EXPECT_EQ(ParseDuration("1.5m").value, 90'000ms);
  EXPECT_EQ(ParseDuration("2h").value, 2h);
  EXPECT_EQ(ParseDuration("999999999h").value, Millis(3'599'999'996'400'000));
}

TEST(ScalarsTest, ADurationNeedsANumberAndAUnit) {
  for (const char* text : {"", "s", ".5s", "5.s", "1.2.3s", "1 s", "1s ", "+1s", "-1s", "1S", "1",
                           "00", "0.0001s", "1d", "1e3s", "0x1s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(ScalarsTest, SizesAreExact) {
  EXPECT_EQ(ParseSize("0").value, 0U);
  EXPECT_EQ(ParseSize("512B").value, 512U);
  EXPECT_EQ(ParseSize("1.5KiB").value, 1536U);
  EXPECT_EQ(ParseSize("16MiB").value, 16U << 20);
  EXPECT_EQ(ParseSize("999999999GiB").value, std::size_t{999'999'999} << 30);
  for (const char* text : {"1", "1K", "1KB", "1kib", "1.5B", "", "KiB"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(ScalarsTest, FormattingTakesTheLargestUnitThatFits) {
  EXPECT_EQ(FormatDuration(0ms), "0");
  EXPECT_EQ(FormatDuration(1500ms), "1500ms");
  EXPECT_EQ(FormatDuration(90'000ms), "90s");
  EXPECT_EQ(FormatDuration(5min), "5m");
  EXPECT_EQ(FormatDuration(24h), "24h");
  EXPECT_EQ(FormatSize(0), "0");
  EXPECT_EQ(FormatSize(1025), "1025B");
  EXPECT_EQ(FormatSize(16 << 20), "16MiB");
}

TEST(ScalarsTest, AddressesReadAndPrintAlike) {
  for (const char* text : {"127.0.0.1:80", "a.example:1", "[::1]:65535", "[::]:0", "unix:/a b",
                           "localhost:8080", "under_score:1"}) {
    const Parsed<Address> address = ParseAddress(text, true);
    ASSERT_TRUE(address) << text << ": " << address.error;
    EXPECT_EQ(address.value->ToString(), text);
  }
  EXPECT_EQ(ParseAddress("[::1]:5", true).value->host, "::1");
}

TEST(ScalarsTest, PortZeroIsForListenersOnly) {
  EXPECT_TRUE(ParseAddress("a:0", true));
  EXPECT_FALSE(ParseAddress("a:0", false));
  EXPECT_FALSE(ParseAddress("a:", true));
  EXPECT_FALSE(ParseAddress("a:-1", true));
  EXPECT_FALSE(ParseAddress("a:1 ", true));
}

TEST(ScalarsTest, AUnixSocketsPathFitsItsAddress) {
  EXPECT_TRUE(ParseAddress("unix:/" + std::string(106, 'x'), true));
  EXPECT_FALSE(ParseAddress("unix:/" + std::string(107, 'x'), true));
}

TEST(ScalarsTest, Utf8IsWellFormedOrItsFirstBadByteIsFound) {
  constexpr std::size_t kFine = std::string_view::npos;
  EXPECT_EQ(FirstInvalidUtf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), kFine);
  EXPECT_EQ(FirstInvalidUtf8("\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80"), kFine);
  EXPECT_EQ(FirstInvalidUtf8("ab\xE9"), 2U);
  EXPECT_EQ(FirstInvalidUtf8("\x80"), 0U);
  EXPECT_EQ(FirstInvalidUtf8("\xC1\xBF"), 0U);
  EXPECT_EQ(FirstInvalidUtf8("\xE0\x9F\xBF"), 0U);
  EXPECT_EQ(FirstInvalidUtf8("\xED\xA0\x80"), 0U);
  EXPECT_EQ(FirstInvalidUtf8("\xF0\x8F\xBF\xBF"), 0U);
  EXPECT_EQ(FirstInvalidUtf8("\xF4\x90\x80\x80"), 0U);
  EXPECT_EQ(FirstInvalidUtf8("a\xE2\x82"), 1U);
  EXPECT_EQ(FirstInvalidUtf8("\xE2\x82z"), 0U);
}

TEST(ScalarsTest, ASuggestionIsNearTheWord) {
  const std::vector<std::string> words{"settle", "session", "wait"};
  EXPECT_EQ(DidYouMean("settel", words), "; did you mean 'settle'?");
  EXPECT_EQ(DidYouMean("sesion", words), "; did you mean 'session'?");
  EXPECT_EQ(DidYouMean("awit", words), "; did you mean 'wait'?");
  EXPECT_EQ(DidYouMean("w", words), "");
  EXPECT_EQ(DidYouMean("flavour", words), "");
  EXPECT_EQ(DidYouMean(std::string(100'000, 'x'), words), "");
}

}  // namespace
}  // namespace connguard
