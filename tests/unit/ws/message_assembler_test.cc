// MessageAssembler: the payload of each message, in one span.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deflate.h"
#include "frames.h"
#include "ws/message_inspector.h"

namespace connguard {
namespace {

using testing::Deflater;
using testing::Frame;
using testing::Octets;
using testing::operator+;

// Every message of `bytes`, read in steps of `step` bytes.
std::vector<std::string> Messages(const Octets& bytes, bool masked, std::size_t step,
                                  Bytes limit = 1'000'000) {
  FrameScanner scanner({.masked = masked, .compressed = true});
  MessageAssembler assembler(limit);
  std::vector<std::string> messages;
  std::span<const std::uint8_t> rest(bytes);
  while (!rest.empty()) {
    std::span<const std::uint8_t> in = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(in.size());
    for (Piece piece = scanner.Next(in); piece.kind != Piece::Kind::kNone;
         piece = scanner.Next(in)) {
      if (piece.kind != Piece::Kind::kData) continue;
      if (const auto text = assembler.Add(piece)) messages.emplace_back(text->begin(), text->end());
    }
  }
  return messages;
}

Octets Conversation(bool masked) {
  return Frame({.masked = masked}, "whole") + Frame({.fin = false, .masked = masked}, "frag") +
         Frame({.opcode = 9, .masked = masked}, "ping") +
         Frame({.opcode = 0, .fin = false, .masked = masked, .key = {9, 8, 7, 6}}, "") +
         Frame({.opcode = 0, .masked = masked, .key = {1, 2, 3, 4}}, "mented") +
         Frame({.masked = masked}, "") +
         Frame({.opcode = 2, .masked = masked}, std::string(300, 'b')) +
         Frame({.masked = masked, .key = {}}, "zero key");
}

TEST(MessageAssemblerTest, MessagesComeOutWholeWhateverTheReads) {
  const std::vector<std::string> expected = {"whole", "fragmented", "", std::string(300, 'b'),
                                             "zero key"};
  for (const bool masked : {false, true}) {
    const Octets bytes = Conversation(masked);
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
      ASSERT_EQ(Messages(bytes, masked, step), expected) << masked << ' ' << step;
    }
  }
}

TEST(MessageAssemblerTest, WholeUnmaskedMessageIsNotCopied) {
  const Octets bytes = Frame({}, "whole");
  FrameScanner scanner({});
  MessageAssembler assembler(100);
  std::span<const std::uint8_t> in(bytes);
  const auto text = assembler.Add(scanner.Next(in));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->data(), bytes.data() + 2);
}

TEST(MessageAssemblerTest, MessageOverTheLimitIsSkipped) {
  for (const bool masked : {false, true}) {
    const Octets bytes = Frame({.masked = masked}, "123456") + Frame({.masked = masked}, "12345") +
                         Frame({.fin = false, .masked = masked}, "12345") +
                         Frame({.opcode = 0, .fin = false, .masked = masked}, "6") +
                         Frame({.opcode = 0, .masked = masked}, "") +
                         Frame({.masked = masked}, "ok");
    for (const std::size_t step : {std::size_t{1}, bytes.size()}) {
      EXPECT_EQ(Messages(bytes, masked, step, 5), (std::vector<std::string>{"12345", "ok"}));
    }
  }
}

TEST(MessageAssemblerTest, ClearForgetsThePayload) {
  const Octets bytes =
      Frame({.masked = true}, std::string(10'000, 'x')) + Frame({.masked = true}, "next");
  FrameScanner scanner({.masked = true});
  MessageAssembler assembler(100'000);
  std::span<const std::uint8_t> in(bytes);
  EXPECT_EQ(assembler.Add(scanner.Next(in))->size(), 10'000U);
  assembler.Clear();
  EXPECT_EQ(assembler.Add(scanner.Next(in))->size(), 4U);
}

// Plain and compressed messages, whole and in fragments, of a sender that takes its context over.
Octets CompressedConversation(bool masked, std::vector<std::string>& messages) {
  Deflater deflater;
  Octets bytes;
  for (int i = 0; i < 6; ++i) {
    const std::string text = std::string(static_cast<std::size_t>(i * 3000), 'x') + "message";
    messages.push_back(text);
    const Octets payload = deflater.Message(text);
    if (i % 2 == 0) {
      bytes = std::move(bytes) + Frame({.rsv = 0x40, .masked = masked}, payload);
    } else {
      const auto half = payload.begin() + static_cast<std::ptrdiff_t>(payload.size() / 2);
      bytes =
          std::move(bytes) +
          Frame({.fin = false, .rsv = 0x40, .masked = masked}, Octets(payload.begin(), half)) +
          Frame({.opcode = 9, .masked = masked}, "ping") +
          Frame({.opcode = 0, .masked = masked, .key = {1, 2, 3, 4}}, Octets(half, payload.end()));
    }
    messages.emplace_back("plain");
    bytes = std::move(bytes) + Frame({.masked = masked}, "plain");
  }
  return bytes;
}

TEST(MessageAssemblerTest, CompressedMessagesAreInflatedWhateverTheReads) {
  for (const bool masked : {false, true}) {
    std::vector<std::string> expected;
    const Octets bytes = CompressedConversation(masked, expected);
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
      ASSERT_EQ(Messages(bytes, masked, step), expected) << masked << ' ' << step;
    }
  }
}

TEST(MessageAssemblerTest, ALongCompressedPieceIsUnmaskedToItsEnd) {
  Deflater deflater;
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i * i);
  const Octets payload = deflater.Message(text);
  ASSERT_GT(payload.size(), 50'000U);
  const Octets bytes = Frame({.rsv = 0x40, .masked = true}, payload);
  EXPECT_EQ(Messages(bytes, true, bytes.size()), std::vector<std::string>{text});
}

TEST(MessageAssemblerTest, AFaultIsToldWithItsMessage) {
  FrameScanner scanner({.compressed = true});
  MessageAssembler assembler(10);
  Deflater deflater;
  Octets bytes;
  for (const std::string_view text : {"1234567890", "12345678901", "1"}) {
    if (text == "1") bytes = std::move(bytes) + Frame({}, "plain");
    bytes = std::move(bytes) + Frame({.rsv = 0x40}, deflater.Message(text));
  }
  std::span<const std::uint8_t> in(bytes);
  EXPECT_EQ(assembler.Add(scanner.Next(in))->size(), 10U);
  EXPECT_EQ(assembler.fault(), InflateStatus::kSound);
  EXPECT_FALSE(assembler.Add(scanner.Next(in)));
  EXPECT_EQ(assembler.fault(), InflateStatus::kTooBig);
  EXPECT_TRUE(assembler.Add(scanner.Next(in)));
  EXPECT_EQ(assembler.fault(), InflateStatus::kSound);
  EXPECT_FALSE(assembler.Add(scanner.Next(in))) << "the context is lost";
  EXPECT_EQ(assembler.fault(), InflateStatus::kTooBig);
}

}  // namespace
}  // namespace connguard
