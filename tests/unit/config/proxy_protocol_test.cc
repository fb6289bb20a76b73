// The PROXY protocol: what each header says, and what is none.
#include "config/proxy_protocol.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

using std::string_literals::operator""s;

using Status = ProxyHeaderReader::Status;
using Result = ProxyHeaderReader::Result;

std::span<const std::uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Fed at once, and byte by byte: both must say the same.
Result Read(const std::string& text) {
  ProxyHeaderReader whole;
  const Result result = whole.Feed(BytesOf(text));
  ProxyHeaderReader slow;
  Result last;
  Bytes taken = 0;
  while (taken < text.size() && last.status == Status::kNeedMore) {
    last = slow.Feed(BytesOf(std::string_view(text).substr(taken, 1)));
    taken += last.taken;
  }
  EXPECT_EQ(last.status, result.status);
  EXPECT_EQ(taken, result.taken);
  EXPECT_EQ(last.address, result.address);
  EXPECT_EQ(last.why, result.why);
  return result;
}

// `ADDRESS`, `(none)`, `...` where more is needed, `error: WHY`.
std::string Said(const std::string& text) {
  const Result result = Read(text);
  if (result.status == Status::kNeedMore) return "...";
  if (result.status == Status::kError) return "error: " + result.why;
  EXPECT_EQ(result.taken, text.size());
  return result.address.value_or("(none)");
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string Binary(int command, int family, const std::string& content) {
  std::string text = kSignature;
  text += static_cast<char>(command);
  text += static_cast<char>(family);
  text += static_cast<char>(content.size() >> 8);
  text += static_cast<char>(content.size());
  return text + content;
}

// 192.0.2.1:1 -> 198.51.100.2:2
const std::string kV4 = "\xC0\0\x02\x01\xC6\x33\x64\x02\0\x01\0\x02"s;
const std::string kV6 = "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x07" +
                        std::string(15, '\0') + "\x01" + "\0\x01\0\x02"s;

TEST(ProxyProtocolTest, TextNamesTheClient) {
  EXPECT_EQ(Said("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"), "192.0.2.1");
  EXPECT_EQ(Said("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255");
  EXPECT_EQ(Said("PROXY TCP6 2001:DB8:0::1 ::1 0 1\r\n"), "2001:db8::1");
  EXPECT_EQ(Said("PROXY TCP6 ::ffff:192.0.2.1 ::1 0 1\r\n"), "192.0.2.1");
  EXPECT_EQ(Said("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(ProxyProtocolTest, UnknownNamesNobody) {
  EXPECT_EQ(Said("PROXY UNKNOWN\r\n"), "(none)");
  EXPECT_EQ(Said("PROXY UNKNOWN whatever 1 2 3\r\n"), "(none)");
  const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), 107U);
  EXPECT_EQ(Said(longest), "(none)");
}

TEST(ProxyProtocolTest, BytesBehindTheHeaderAreNotTaken) {
  for (const std::string& header :
       {"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n"s, Binary(0x21, 0x11, kV4)}) {
    const Result result = Read(header + "GET / HTTP/1.1\r\n");
    EXPECT_EQ(result.status, Status::kDone);
    EXPECT_EQ(result.taken, header.size());
  }
}

TEST(ProxyProtocolTest, APartOfAHeaderNeedsMore) {
  const std::string text = "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n";
  for (std::size_t size = 1; size < text.size(); ++size) {
    EXPECT_EQ(Said(text.substr(0, size)), "...") << size;
  }
  const std::string binary = Binary(0x21, 0x21, kV6 + "tlv");
  for (std::size_t size = 1; size < binary.size(); ++size) {
    EXPECT_EQ(Said(binary.substr(0, size)), "...") << size;
  }
  EXPECT_EQ(Read("").status, Status::kNeedMore);
}

TEST(ProxyProtocolTest, WhatIsNoHeaderIsRefusedAtItsFirstWrongByte) {
  for (const std::string& text : {"G"s, "\x16"s, "PO"s, "p"s, "PROXYX"s, "\r\n\r\n\r"s, "\n"s,
                                  "\0"s, "\r\n\r\n\0\r\nQUIX"s}) {
    const Result result = Read(text);
    EXPECT_EQ(result.why, "not a PROXY header") << text;
    EXPECT_EQ(result.taken, text.size()) << text;
  }
}

TEST(ProxyProtocolTest, TextIsWrittenInOneWayOnly) {
  const auto error = [](const std::string& line) { return Said("PROXY " + line); };
  for (const char* family : {"TCP", "tcp4", "UDP4", "TCP5", "", " TCP4", "UNKNOWNX"}) {
    EXPECT_EQ(error(family + " 192.0.2.1 192.0.2.2 1 2\r\n"s),
              "error: unknown family in a PROXY header")
        << family;
  }
  for (const char* addresses :
       {"192.0.2.1", "192.0.2.1  192.0.2.2", " 192.0.2.1 192.0.2.2", "192.0.2.01 192.0.2.2",
        "192.0.2.256 192.0.2.2", "::1 ::1", "192.0.2.1 ::1", "192.0.2.1\t192.0.2.2", "a b"}) {
    EXPECT_EQ(error("TCP4 "s + addresses + " 1 2\r\n"),
              "error: malformed address in a PROXY header")
        << addresses;
  }
  EXPECT_EQ(error("TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
            "error: malformed address in a PROXY header");
  for (const char* ports : {"", "1", "1 ", " 1 2", "1  2", "1 2 ", "1 2 3", "01 2", "1 02",
                            "65536 1", "1 65536", "-1 2", "+1 2", "1 x"}) {
    EXPECT_EQ(error("TCP4 192.0.2.1 192.0.2.2 "s + ports + "\r\n"),
              "error: malformed port in a PROXY header")
        << ports;
  }
}

TEST(ProxyProtocolTest, TextEndsWithOneLineEnd) {
  EXPECT_EQ(Said("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
            "error: a PROXY header has a stray line end");
  EXPECT_EQ(Said("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n").substr(0, 6), "error:");
  EXPECT_EQ(Said("PROXY UNKNOWN\rx"), "error: a PROXY header has a stray line end");
  EXPECT_EQ(Said("PROXY UNKNOWN " + std::string(93, 'x')), "error: a PROXY header is too long");
}

TEST(ProxyProtocolTest, BinaryNamesTheClient) {
  EXPECT_EQ(Said(Binary(0x21, 0x11, kV4)), "192.0.2.1");
  EXPECT_EQ(Said(Binary(0x21, 0x21, kV6)), "2001:db8::7");
  EXPECT_EQ(Said(Binary(0x21, 0x31, std::string(216, 'x'))), "unix");
  const std::string mapped = std::string(10, '\0') + "\xFF\xFF\xC0\0\x02\x01"s;
  EXPECT_EQ(Said(Binary(0x21, 0x21, mapped + std::string(20, '\0'))), "192.0.2.1");
}

TEST(ProxyProtocolTest, BinaryMayHaveMoreBehindTheAddresses) {
  EXPECT_EQ(Said(Binary(0x21, 0x11, kV4 + "\x04\0\x01x"s)), "192.0.2.1");
  EXPECT_EQ(Said(Binary(0x21, 0x11, kV4 + std::string(4096 - 16 - 12, 'x'))), "192.0.2.1");
}

TEST(ProxyProtocolTest, TheBalancersOwnConnectionNamesNobody) {
  EXPECT_EQ(Said(Binary(0x20, 0x00, "")), "(none)");
  EXPECT_EQ(Said(Binary(0x20, 0x11, kV4)), "(none)");
  EXPECT_EQ(Said(Binary(0x20, 0xFF, "x")), "(none)");
  EXPECT_EQ(Said(Binary(0x21, 0x00, "")), "(none)");
  EXPECT_EQ(Said(Binary(0x21, 0x00, "tlv")), "(none)");
}

TEST(ProxyProtocolTest, BinaryOfAnotherKindIsRefused) {
  for (const int command : {0x00, 0x01, 0x11, 0x22, 0x2F, 0x31, 0xFF}) {
    EXPECT_EQ(Read(Binary(command, 0x11, kV4)).why, "unknown version or command in a PROXY header")
        << command;
  }
  for (const int family : {0x01, 0x10, 0x12, 0x13, 0x22, 0x32, 0x41, 0xFF}) {
    EXPECT_EQ(Said(Binary(0x21, family, std::string(216, 'x'))),
              "error: unknown family in a PROXY header")
        << family;
  }
}

TEST(ProxyProtocolTest, BinaryTooShortForItsAddressesIsRefused) {
  const std::string why = "error: a PROXY header is too short for its addresses";
  EXPECT_EQ(Said(Binary(0x21, 0x11, "")), why);
  EXPECT_EQ(Said(Binary(0x21, 0x11, kV4.substr(1))), why);
  EXPECT_EQ(Said(Binary(0x21, 0x21, kV6.substr(1))), why);
  EXPECT_EQ(Said(Binary(0x21, 0x31, std::string(215, 'x'))), why);
}

TEST(ProxyProtocolTest, ALongBinaryIsRefusedBeforeItHasCome) {
  const Result result = Read(Binary(0x21, 0x11, std::string(4096 - 15, 'x')));
  EXPECT_EQ(result.why, "a PROXY header is too long");
  EXPECT_EQ(result.taken, 16U);
  EXPECT_EQ(Read(Binary(0x20, 0x00, std::string(65535, 'x'))).taken, 16U);
}

}  // namespace
}  // namespace connguard
