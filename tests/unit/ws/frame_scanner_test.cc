// FrameScanner: what it hands out, and every rule of RFC 6455 that it enforces.
#include "ws/frame_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "frames.h"

namespace connguard {
namespace {

using testing::Frame;
using testing::FrameSpec;
using testing::Octets;
using testing::ToOctets;
using testing::operator+;

constexpr ScanPolicy kFromClient{.masked = true};
constexpr ScanPolicy kFromServer{};
constexpr ScanPolicy kDeflate{.compressed = true};
constexpr ScanPolicy kSmall{.message_size = 10};

Octets Copy(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

Octets Unmasked(const Piece& piece) {
  Octets out(piece.payload.size());
  Unmask(piece.payload, piece.mask, out.data());
  return out;
}

TEST(FrameScannerTest, WholeFrameIsOnePieceInPlace) {
  const Octets bytes = Frame({.masked = true}, "hello");
  FrameScanner scanner(kFromClient);
  std::span<const std::uint8_t> in(bytes);
  const Piece piece = scanner.Next(in);
  EXPECT_EQ(piece.kind, Piece::Kind::kData);
  EXPECT_EQ(piece.opcode, Opcode::kText);
  EXPECT_TRUE(piece.begins_message && piece.ends_frame && piece.ends_message);
  EXPECT_EQ(piece.raw.data(), bytes.data());
  EXPECT_EQ(piece.raw.size(), bytes.size());
  EXPECT_EQ(Unmasked(piece), ToOctets("hello"));
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(scanner.Next(in).kind, Piece::Kind::kNone);
}

TEST(FrameScannerTest, EmptyFrameIsAMessage) {
  const Octets bytes = Frame({.opcode = 2}, "");
  FrameScanner scanner(kFromServer);
  std::span<const std::uint8_t> in(bytes);
  const Piece piece = scanner.Next(in);
  EXPECT_EQ(piece.opcode, Opcode::kBinary);
  EXPECT_TRUE(piece.begins_message && piece.ends_message);
  EXPECT_TRUE(scanner.at_message_boundary());
}

TEST(FrameScannerTest, PayloadIsPassedOnAsItComes) {
  const Octets bytes = Frame({.masked = true}, "abcdefgh");
  FrameScanner scanner(kFromClient);
  std::span<const std::uint8_t> first = std::span(bytes).first(6 + 3);
  std::span<const std::uint8_t> second = std::span(bytes).subspan(6 + 3);
  const Piece head = scanner.Next(first);
  EXPECT_EQ(Unmasked(head), ToOctets("abc"));
  EXPECT_FALSE(head.ends_frame);
  EXPECT_FALSE(scanner.at_frame_boundary());
  const Piece tail = scanner.Next(second);
  EXPECT_FALSE(tail.begins_message);
  EXPECT_TRUE(tail.ends_message);
  EXPECT_EQ(Unmasked(tail), ToOctets("defgh"));
  EXPECT_TRUE(scanner.at_frame_boundary());
}

TEST(FrameScannerTest, HeldHeaderIsNotHandedOutYet) {
  const Octets bytes = Frame({.masked = true}, "x");
  FrameScanner scanner(kFromClient);
  std::span<const std::uint8_t> part = std::span(bytes).first(5);
  EXPECT_EQ(scanner.Next(part).kind, Piece::Kind::kNone);
  EXPECT_TRUE(part.empty());
  EXPECT_TRUE(scanner.at_frame_boundary());
  part = std::span(bytes).subspan(5);
  const Piece header = scanner.Next(part);
  EXPECT_EQ(Copy(header.raw), Octets(bytes.begin(), bytes.begin() + 6));
  EXPECT_TRUE(header.begins_message);
  EXPECT_FALSE(scanner.at_frame_boundary());
  EXPECT_TRUE(scanner.Next(part).ends_message);
}

TEST(FrameScannerTest, FragmentsAreOfTheirMessage) {
  const Octets bytes = Frame({.opcode = 2, .fin = false}, "a") +
                       Frame({.opcode = 0, .fin = false}, "b") + Frame({.opcode = 0}, "c");
  FrameScanner scanner(kFromServer);
  std::span<const std::uint8_t> in(bytes);
  for (const char* payload : {"a", "b", "c"}) {
    const Piece piece = scanner.Next(in);
    EXPECT_EQ(piece.opcode, Opcode::kBinary);
    EXPECT_EQ(Copy(piece.payload), ToOctets(payload));
    EXPECT_EQ(piece.begins_message, *payload == 'a');
    EXPECT_EQ(piece.ends_message, *payload == 'c');
    EXPECT_TRUE(scanner.at_frame_boundary());
    EXPECT_EQ(scanner.at_message_boundary(), *payload == 'c');
  }
}

TEST(FrameScannerTest, ControlFrameBetweenFragmentsIsUnmasked) {
  const Octets bytes = Frame({.fin = false, .masked = true}, "a") +
                       Frame({.opcode = 9, .masked = true}, "ping!") +
                       Frame({.opcode = 0, .masked = true}, "b");
  FrameScanner scanner(kFromClient);
  std::span<const std::uint8_t> in(bytes);
  EXPECT_FALSE(scanner.Next(in).ends_message);
  const Piece ping = scanner.Next(in);
  EXPECT_EQ(ping.kind, Piece::Kind::kControl);
  EXPECT_EQ(ping.opcode, Opcode::kPing);
  EXPECT_EQ(Copy(ping.payload), ToOctets("ping!"));
  EXPECT_TRUE(scanner.at_frame_boundary());
  EXPECT_FALSE(scanner.at_message_boundary());
  EXPECT_TRUE(scanner.Next(in).ends_message);
}

TEST(FrameScannerTest, CompressedMessageIsMarkedInAllItsPieces) {
  const Octets bytes =
      Frame({.fin = false, .rsv = 0x40}, "a") + Frame({.opcode = 0}, "b") + Frame({}, "plain");
  FrameScanner scanner(kDeflate);
  std::span<const std::uint8_t> in(bytes);
  EXPECT_TRUE(scanner.Next(in).rsv1);
  EXPECT_TRUE(scanner.Next(in).rsv1);
  EXPECT_FALSE(scanner.Next(in).rsv1);
}

TEST(FrameScannerTest, MessageOfExactlyTheLimitPasses) {
  const Octets bytes =
      Frame({.fin = false}, "12345") + Frame({.opcode = 0}, "67890") + Frame({}, "1234567890");
  FrameScanner scanner(kSmall);
  std::span<const std::uint8_t> in(bytes);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(scanner.Next(in).kind, Piece::Kind::kData);
}

TEST(FrameScannerTest, LongLengthsAreRead) {
  for (const std::size_t size : {125U, 126U, 127U, 65535U, 65536U, 70000U}) {
    const Octets bytes = Frame({.masked = true}, Octets(size, 'x'));
    FrameScanner scanner(kFromClient);
    std::span<const std::uint8_t> in(bytes);
    EXPECT_EQ(scanner.Next(in).payload.size(), size);
    EXPECT_TRUE(scanner.at_message_boundary());
  }
}

struct Illegal {
  const char* name;
  ScanPolicy policy;
  Octets bytes;  // its last frame is the illegal one
  CloseCode code;
  const char* why;
};

void PrintTo(const Illegal& illegal, std::ostream* out) { *out << illegal.name; }

Octets Close(const Octets& payload) { return Frame({.opcode = 8}, payload); }

const std::vector<Illegal>& IllegalFrames() {
  constexpr CloseCode k1002 = CloseCode::kProtocolError;
  constexpr CloseCode k1007 = CloseCode::kInvalidPayload;
  constexpr CloseCode k1009 = CloseCode::kMessageTooBig;
  const Octets start = Frame({.fin = false}, "12345");
  static const std::vector<Illegal> kTable = {
      {"Rsv1", kFromServer, Frame({.rsv = 0x40}, "x"), k1002, "no extension"},
      {"Rsv1FromClient", kFromClient, Frame({.rsv = 0x40, .masked = true}, "x"), k1002,
       "no extension"},
      {"Rsv2", kDeflate, Frame({.rsv = 0x20}, "x"), k1002, "RSV2"},
      {"Rsv3", kDeflate, Frame({.rsv = 0x10}, "x"), k1002, "RSV3"},
      {"Rsv1OnPing", kDeflate, Frame({.opcode = 9, .rsv = 0x40}, ""), k1002, "control"},
      {"Rsv1OnContinuation", kDeflate, start + Frame({.opcode = 0, .rsv = 0x40}, "x"), k1002,
       "continuation"},
      {"Opcode3", kFromServer, Frame({.opcode = 3}, "x"), k1002, "reserved opcode"},
      {"Opcode7", kFromServer, Frame({.opcode = 7}, "x"), k1002, "reserved opcode"},
      {"OpcodeB", kFromServer, Frame({.opcode = 0xB}, "x"), k1002, "reserved opcode"},
      {"OpcodeF", kFromServer, Frame({.opcode = 0xF}, "x"), k1002, "reserved opcode"},
      {"UnmaskedFromClient", kFromClient, Frame({}, "x"), k1002, "not masked"},
      {"UnmaskedPingFromClient", kFromClient, Frame({.opcode = 9}, ""), k1002, "not masked"},
      {"MaskedFromServer", kFromServer, Frame({.masked = true}, "x"), k1002, "is masked"},
      {"FragmentedPing", kFromServer, Frame({.opcode = 9, .fin = false}, "x"), k1002, "fragmented"},
      {"FragmentedClose", kFromServer, Frame({.opcode = 8, .fin = false}, ""), k1002, "fragmented"},
      {"LongPing", kFromServer, Frame({.opcode = 9}, Octets(126, 'x')), k1002, "125"},
      {"LongPongIn64Bits", kFromServer, Frame({.opcode = 10, .length_form = 64}, "x"), k1002,
       "125"},
      {"ContinuationFirst", kFromServer, Frame({.opcode = 0}, "x"), k1002, "without a message"},
      {"ContinuationAfterTheEnd", kFromServer, Frame({}, "x") + Frame({.opcode = 0}, "x"), k1002,
       "without a message"},
      {"TextInsideText", kFromServer, start + Frame({}, "x"), k1002, "inside"},
      {"BinaryInsideText", kFromServer, start + Frame({.opcode = 2}, "x"), k1002, "inside"},
      {"SixteenBitsForNothing", kFromServer, Frame({.length_form = 16}, Octets(125, 'x')), k1002,
       "shortest"},
      {"SixtyFourBitsForNothing", kFromServer, Frame({.length_form = 64}, Octets(65535, 'x')),
       k1002, "shortest"},
      {"TopBit", kFromServer, {0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, k1002, "top bit"},
      {"Huge", kFromServer, {0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255}, k1009, "limit"},
      {"OneFrameTooBig", kSmall, Frame({}, "12345678901"), k1009, "limit"},
      {"FragmentsTooBig", kSmall, start + Frame({.opcode = 0}, "123456"), k1009, "limit"},
      {"FragmentsOverflow", kSmall,
       start + Octets{0x80, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255}, k1009, "limit"},
      {"CloseOfOneByte", kFromServer, Close({0x03}), k1002, "half"},
      {"Close999", kFromServer, Close({0x03, 0xE7}), k1002, "must not be sent"},
      {"Close1004", kFromServer, Close({0x03, 0xEC}), k1002, "must not be sent"},
      {"Close1005", kFromServer, Close({0x03, 0xED}), k1002, "must not be sent"},
      {"Close1006", kFromServer, Close({0x03, 0xEE}), k1002, "must not be sent"},
      {"Close1015", kFromServer, Close({0x03, 0xF7}), k1002, "must not be sent"},
      {"Close2999", kFromServer, Close({0x0B, 0xB7}), k1002, "must not be sent"},
      {"Close5000", kFromServer, Close({0x13, 0x88}), k1002, "must not be sent"},
      {"CloseReasonCutInACharacter", kFromServer, Close({0x03, 0xE8, 0xC3}), k1007, "UTF-8"},
      {"CloseReasonSurrogate", kFromServer, Close({0x03, 0xE8, 0xED, 0xA0, 0x80}), k1007, "UTF-8"},
  };
  return kTable;
}

class IllegalFrameTest : public ::testing::TestWithParam<Illegal> {};

TEST_P(IllegalFrameTest, IsRefusedWithCodeAndReason) {
  const Illegal& illegal = GetParam();
  FrameScanner scanner(illegal.policy);
  std::span<const std::uint8_t> in(illegal.bytes);
  Piece piece = scanner.Next(in);
  while (piece.kind == Piece::Kind::kData) piece = scanner.Next(in);
  ASSERT_EQ(piece.kind, Piece::Kind::kError);
  EXPECT_EQ(piece.error, illegal.code);
  EXPECT_NE(std::string(piece.why).find(illegal.why), std::string::npos) << piece.why;
  EXPECT_TRUE(scanner.at_frame_boundary()) << "our Close must be able to follow";

  const Octets sound = Frame({.opcode = 0x9, .masked = illegal.policy.masked}, "") +
                       Frame({.masked = illegal.policy.masked}, "sound");
  in = sound;
  const Piece again = scanner.Next(in);
  EXPECT_EQ(again.kind, Piece::Kind::kError) << "after an error there is only the error";
  EXPECT_EQ(again.error, illegal.code);
}

INSTANTIATE_TEST_SUITE_P(Rfc6455, IllegalFrameTest, ::testing::ValuesIn(IllegalFrames()),
                         [](const auto& test) { return test.param.name; });

TEST(FrameScannerTest, WrongFirstBytesAreRefusedBeforeTheHeaderIsComplete) {
  const Octets bytes = {0x83, 0xFE};
  FrameScanner scanner(kFromClient);
  std::span<const std::uint8_t> in(bytes);
  EXPECT_EQ(scanner.Next(in).kind, Piece::Kind::kError);
}

TEST(FrameScannerTest, SoundCloseFramesPass) {
  for (const Octets& payload :
       {Octets{}, Octets{0x03, 0xE8}, Octets{0x03, 0xF4, 'o', 'k'}, Octets{0x0B, 0xB8},
        Octets{0x13, 0x87}, Octets{0x03, 0xE8, 0xE2, 0x82, 0xAC}}) {
    const Octets bytes = Close(payload);
    FrameScanner scanner(kFromServer);
    std::span<const std::uint8_t> in(bytes);
    const Piece piece = scanner.Next(in);
    ASSERT_EQ(piece.kind, Piece::Kind::kControl);
    EXPECT_EQ(piece.opcode, Opcode::kClose);
    EXPECT_EQ(Copy(piece.payload), payload);
  }
}

}  // namespace
}  // namespace connguard
