// IP addresses as text: what inet_pton and inet_ntop say of them.
#include "http/ip_text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace connguard {
namespace {

std::string System(std::span<const std::uint8_t> bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
  return text;
}

TEST(IpTextTest, V6IsReadAsTheSystemReadsIt) {
  for (const char* text :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8",
        "FD00::aBcD", "0001:02:3:0004::", "::1.2.3.4", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
        "1::1.2.3.4", "64:ff9b::192.0.2.33",
        // And these are none.
        "", ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:::2",
        "12345::", "g::", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "1.2.3.4::",
        "1.2.3.4", "::1.2.3.4:5", "::1 ", " ::1", "::1%eth0", "[::1]", "-1::", "0x1::", "::+1",
        "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8"}) {
    std::array<std::uint8_t, 16> bytes{};
    const bool sound = inet_pton(AF_INET6, text, bytes.data()) == 1;
    const auto parsed = ParseIpv6(text);
    ASSERT_EQ(parsed.has_value(), sound) << text;
    if (sound) {
      EXPECT_EQ(*parsed, bytes) << text;
    }
  }
}

TEST(IpTextTest, V4IsReadAsTheSystemReadsIt) {
  for (const char* text :
       {"0.0.0.0", "255.255.255.255", "192.0.2.1",
        // And these are none.
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ".1.2.3.4", "1..3.4", "256.0.0.1", "01.2.3.4",
        "1.2.3.00", "1.2.3.4 ", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4:5", "::1"}) {
    std::array<std::uint8_t, 4> bytes{};
    const bool sound = inet_pton(AF_INET, text, bytes.data()) == 1;
    const auto parsed = ParseIpv4(text);
    ASSERT_EQ(parsed.has_value(), sound) << text;
    if (sound) {
      EXPECT_EQ(*parsed, bytes) << text;
    }
    if (sound) {
      EXPECT_EQ(FormatIpv4(bytes), text);
    }
  }
}

TEST(IpTextTest, V6IsWrittenAsTheSystemWritesIt) {
  std::mt19937 random(7);  // NOLINT: the same addresses every time
  for (int i = 0; i < 20'000; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t group = 0; group < 8; ++group) {
      if (random() % 2 == 0) continue;  // runs of zeros are what differs
      bytes[2 * group + 1] = static_cast<std::uint8_t>(random());
      if (random() % 2 == 0) bytes[2 * group] = static_cast<std::uint8_t>(random());
    }
    EXPECT_EQ(FormatIpv6(bytes), System(bytes));
    EXPECT_EQ(ParseIpv6(FormatIpv6(bytes)), bytes);
  }
}

TEST(IpTextTest, AMappedAddressIsTheV4Address) {
  EXPECT_EQ(FormatIpv6(ParseIpv6("::ffff:192.0.2.1").value()), "192.0.2.1");
  EXPECT_EQ(FormatIpv6(ParseIpv6("::192.0.2.1").value()), "::192.0.2.1");
}

}  // namespace
}  // namespace connguard
