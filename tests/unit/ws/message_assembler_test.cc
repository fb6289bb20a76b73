// MessageAssembler: the payload of each message, in one span.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "frames.h"
#include "ws/message_inspector.h"

namespace connguard {
namespace {

using testing::Frame;
using testing::Octets;
using testing::operator+;

// Every message of `bytes`, read in steps of `step` bytes.
std::vector<std::string> Messages(const Octets& bytes, bool masked, std::size_t step,
                                  Bytes limit = 1'000'000) {
  FrameScanner scanner({.masked = masked});
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

}  // namespace
}  // namespace connguard
