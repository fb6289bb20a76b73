// Control frames: what we make must be what RFC 6455 says, and read back as it was.
#include "ws/control_frame.h"

#include <gtest/gtest.h>

#include <string>

#include "frames.h"

namespace connguard {
namespace {

using testing::Octets;
using testing::ToOctets;

Octets Bytes(const ControlFrame& frame) { return {frame.bytes().begin(), frame.bytes().end()}; }

Octets UnmaskedPayload(const ControlFrame& frame) {
  const Octets bytes = Bytes(frame);
  const MaskKey key = {bytes[2], bytes[3], bytes[4], bytes[5]};
  Octets payload(bytes.begin() + 6, bytes.end());
  Unmask(payload, key, payload.data());
  return payload;
}

TEST(ControlFrameTest, PingTowardsAClientIsNotMasked) {
  EXPECT_EQ(Bytes(MakeControl(Opcode::kPing, ToOctets("hi"), false)),
            (Octets{0x89, 0x02, 'h', 'i'}));
}

TEST(ControlFrameTest, PongTowardsAnUpstreamIsMasked) {
  const ControlFrame frame = MakeControl(Opcode::kPong, ToOctets("hello"), true);
  ASSERT_EQ(frame.size, 2 + 4 + 5);
  EXPECT_EQ(frame.storage[0], 0x8A);
  EXPECT_EQ(frame.storage[1], 0x85);
  EXPECT_EQ(UnmaskedPayload(frame), ToOctets("hello"));
}

TEST(ControlFrameTest, MaskKeysDiffer) {
  const Octets first = Bytes(MakeControl(Opcode::kPing, {}, true));
  for (int i = 0; i < 8; ++i) {
    if (Bytes(MakeControl(Opcode::kPing, {}, true)) != first) return;
  }
  FAIL() << "nine frames with one key";
}

TEST(ControlFrameTest, PayloadOver125BytesIsCut) {
  EXPECT_EQ(MakeControl(Opcode::kPing, Octets(200, 'x'), true).size, 131);
}

TEST(ControlFrameTest, CloseWithoutACodeIsEmpty) {
  EXPECT_EQ(Bytes(MakeClose(CloseCode::kNone, ToOctets("ignored"), false)), (Octets{0x88, 0x00}));
}

TEST(ControlFrameTest, CloseCarriesItsCodeInNetworkOrder) {
  EXPECT_EQ(Bytes(MakeClose(CloseCode::kGoingAway, ToOctets("bye"), false)),
            (Octets{0x88, 0x05, 0x03, 0xE9, 'b', 'y', 'e'}));
}

TEST(ControlFrameTest, CloseReasonOf123BytesIsKeptWhole) {
  EXPECT_EQ(MakeClose(CloseCode::kNormal, Octets(123, 'a'), false).size, 2 + 125);
}

TEST(ControlFrameTest, LongCloseReasonIsCutBetweenCharacters) {
  const std::string reason = std::string(122, 'a') + "\xC3\xA4" + "b";  // ä over the limit
  EXPECT_EQ(MakeClose(CloseCode::kNormal, ToOctets(reason), false).size, 2 + 2 + 122);
  const std::string fits = std::string(121, 'a') + "\xC3\xA4" + "b";
  EXPECT_EQ(MakeClose(CloseCode::kNormal, ToOctets(fits), false).size, 2 + 2 + 123);
}

TEST(ControlFrameTest, CloseIsReadBack) {
  const Octets payload = {0x11, 0x39, 'g', 'o'};
  const ClosePayload close = ParseClose(payload);
  EXPECT_EQ(close.code, CloseCode::kSuperseded);
  EXPECT_EQ(Octets(close.reason.begin(), close.reason.end()), ToOctets("go"));
  EXPECT_EQ(ParseClose({}).code, CloseCode::kNone);
}

TEST(ControlFrameTest, UnmaskWorksInPlaceForEveryLength) {
  const MaskKey key = {1, 2, 3, 4};
  for (std::size_t size = 0; size < 40; ++size) {
    Octets bytes(size, 0xF0);
    Unmask(bytes, key, bytes.data());
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(bytes[i], 0xF0 ^ key[i % 4]) << size;
  }
}

TEST(ControlFrameTest, CodesOnTheWireAreThoseOfTheRegistry) {
  for (int code = 0; code < 65536; ++code) {
    const bool sent = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                      (code >= 3000 && code <= 4999);
    EXPECT_EQ(MayBeSent(static_cast<CloseCode>(code)), sent) << code;
  }
}

}  // namespace
}  // namespace connguard
