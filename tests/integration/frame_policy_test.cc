// Illegal frames: the offender is told, nothing illegal passes, the other side gets a proper end.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

struct Offence {
  std::string name;
  FrameSpec spec;
  std::string payload = "never";
};

std::string BadClose(int code) { return CloseBody(code, ""); }

// Each is illegal from either side (RFC 6455 §5.2, §5.4, §5.5, §7.4).
std::vector<Offence> Offences() {
  return {
      {"RSV1", {.opcode = 1, .rsv = 0x40}},
      {"RSV2", {.opcode = 1, .rsv = 0x20}},
      {"RSV3", {.opcode = 2, .rsv = 0x10}},
      {"RSV1 on a ping", {.opcode = 9, .rsv = 0x40}},
      {"opcode 3", {.opcode = 3}},
      {"opcode 7", {.opcode = 7}},
      {"opcode 11", {.opcode = 11}},
      {"opcode 15", {.opcode = 15}},
      {"fragmented ping", {.opcode = 9, .fin = false}},
      {"fragmented Close", {.opcode = 8, .fin = false}, BadClose(1000)},
      {"ping of 126 bytes", {.opcode = 9}, std::string(126, 'p')},
      {"Close of 126 bytes", {.opcode = 8}, CloseBody(1000, std::string(124, 'r'))},
      {"ping in a long form", {.opcode = 9, .length_form = 16}},
      {"continuation of nothing", {.opcode = 0}},
      {"length 5 in 16 bits", {.opcode = 2, .length_form = 16}},
      {"length 125 in 16 bits", {.opcode = 2, .length_form = 16}, std::string(125, 'l')},
      {"length 5 in 64 bits", {.opcode = 2, .length_form = 64}},
      {"length 65535 in 64 bits", {.opcode = 2, .length_form = 64}, std::string(65535, 'l')},
      {"half a code", {.opcode = 8}, "\x03"},
      {"Close 999", {.opcode = 8}, BadClose(999)},
      {"Close 1004", {.opcode = 8}, BadClose(1004)},
      {"Close 1005", {.opcode = 8}, BadClose(1005)},
      {"Close 1006", {.opcode = 8}, BadClose(1006)},
      {"Close 1015", {.opcode = 8}, BadClose(1015)},
      {"Close 2999", {.opcode = 8}, BadClose(2999)},
      {"Close 5000", {.opcode = 8}, BadClose(5000)},
      {"a reason that is not UTF-8", {.opcode = 8}, CloseBody(1000, "\xC3\x28")},
  };
}

// A frame's header that claims 2^63 bytes.
std::string TopBitHeader(bool masked) {
  std::string header = "\x82";
  header.push_back(static_cast<char>(masked ? 0xFF : 0x7F));
  header += std::string("\x80\0\0\0\0\0\0\0", 8);
  if (masked) header += "mask";
  return header;
}

std::string Raw(FrameSpec spec, bool masked, std::string_view payload) {
  spec.masked = masked;
  const Octets octets = Frame(spec, payload);
  return {octets.begin(), octets.end()};
}

class FramePolicyTest : public GuardTest {
 protected:
  void ExpectClientIsTold(const std::string& bytes, int code) {
    auto [client, origin] = Open();
    client.Send(bytes);
    EXPECT_EQ(client.ReadClose(), code);
    EXPECT_EQ(client.ReadToEnd(), "");
    EXPECT_EQ(origin.ReadClose(), 1001);  // the first thing it sees
    origin.SendClose(1001);
    EXPECT_EQ(origin.ReadToEnd(), "");
  }

  void ExpectUpstreamIsTold(const std::string& bytes, int code) {
    auto [client, origin] = Open();
    origin.Send(bytes);
    EXPECT_EQ(origin.ReadClose(), code);
    EXPECT_EQ(client.ReadClose(), 1011);  // the first thing it sees
    client.SendClose(1011);
    EXPECT_EQ(client.ReadToEnd(), "");
    origin.SendClose(code);
    EXPECT_EQ(origin.ReadToEnd(), "");
  }
};

TEST_F(FramePolicyTest, ClientWithAnIllegalFrameGets1002AndNothingOfItPasses) {
  StartGuard();
  for (const Offence& offence : Offences()) {
    SCOPED_TRACE(offence.name);
    ExpectClientIsTold(Raw(offence.spec, true, offence.payload), 1002);
  }
  guard().AwaitMetric("connguard_closes_total", "client_protocol",
                      static_cast<double>(Offences().size()));
}

TEST_F(FramePolicyTest, UpstreamWithAnIllegalFrameGets1002AndTheClient1011) {
  StartGuard();
  for (const Offence& offence : Offences()) {
    SCOPED_TRACE(offence.name);
    // Of a long one the head, in one segment: what an offender says further is answered by a reset.
    ExpectUpstreamIsTold(Raw(offence.spec, false, offence.payload).substr(0, 1000), 1002);
  }
}

TEST_F(FramePolicyTest, ClientsFramesMustBeMaskedAndUpstreamsMustNot) {
  StartGuard();
  for (const std::uint8_t opcode : std::to_array<std::uint8_t>({1, 8, 9})) {
    const std::string payload = opcode == 8 ? CloseBody(1000, "") : "never";
    ExpectClientIsTold(Raw({.opcode = opcode}, false, payload), 1002);
    ExpectUpstreamIsTold(Raw({.opcode = opcode}, true, payload), 1002);
  }
}

TEST_F(FramePolicyTest, LengthOf63BitsIsIllegalOnBothLegs) {
  StartGuard();
  ExpectClientIsTold(TopBitHeader(true), 1002);
  ExpectUpstreamIsTold(TopBitHeader(false), 1002);
}

TEST_F(FramePolicyTest, IllegalFrameIsFoundWhenItComesByteByByte) {
  StartGuard();
  auto [client, origin] = Open();
  client.SendByteByByte(Raw({.opcode = 2, .length_form = 16}, true, "").substr(0, 8));
  EXPECT_EQ(client.ReadClose(), 1002);
  EXPECT_EQ(origin.ReadClose(), 1001);
}

TEST_F(FramePolicyTest, WhatPrecedesTheIllegalFrameStillPasses) {
  StartGuard();
  auto [client, origin] = Open();
  origin.Send(origin.MakeFrame({}, "last") + Raw({.opcode = 3}, false, "never"));
  EXPECT_EQ(client.ReadText(), "last");
  EXPECT_EQ(client.ReadClose(), 1011);
  EXPECT_EQ(origin.ReadClose(), 1002);
}

TEST_F(FramePolicyTest, NewMessageInsideAFragmentedOneIsIllegal) {
  StartGuard();
  {
    auto [client, origin] = Open();
    const std::string begun = origin.MakeFrame({.fin = false}, "begun");
    origin.Send(begun + origin.MakeFrame({}, "never"));
    EXPECT_EQ(client.Read(begun.size()), begun);
    EXPECT_EQ(client.ReadClose(), 1011);
    EXPECT_EQ(origin.ReadClose(), 1002);
  }
  auto [client, origin] = Open("/ws/bob");
  const std::string begun = client.MakeFrame({.fin = false}, "begun");
  client.Send(begun + client.MakeFrame({}, "never"));
  EXPECT_EQ(origin.Read(begun.size()), begun);
  EXPECT_EQ(client.ReadClose(), 1002);
}

TEST_F(FramePolicyTest, MessageOverTheLimitIs1009) {
  StartGuard({.upstream = "", .limits = "{message_size: 1KiB}"});
  ExpectClientIsTold(Raw({.opcode = 2}, true, std::string(1025, 'x')), 1009);
  ExpectUpstreamIsTold(Raw({.opcode = 2}, false, std::string(1025, 'x')), 1009);
}

TEST_F(FramePolicyTest, MessageOfTheLimitPasses) {
  StartGuard({.upstream = "", .limits = "{message_size: 1KiB}"});
  auto [client, origin] = Open();
  const std::string message(1024, 'x');
  client.SendText(message);
  EXPECT_EQ(origin.ReadText(), message);
  origin.SendText(message);
  EXPECT_EQ(client.ReadText(), message);
}

TEST_F(FramePolicyTest, FragmentsOverTheLimitTogetherAre1009) {
  StartGuard({.upstream = "", .limits = "{message_size: 1KiB}"});
  auto [client, origin] = Open();
  const std::string begun = origin.MakeFrame({.fin = false}, std::string(1000, 'x'));
  origin.Send(begun + origin.MakeFrame({.opcode = 0}, std::string(25, 'x')));
  EXPECT_EQ(client.Read(begun.size()), begun);
  EXPECT_EQ(client.ReadClose(), 1011);
  EXPECT_EQ(origin.ReadClose(), 1009);
}

}  // namespace
}  // namespace connguard::testing
