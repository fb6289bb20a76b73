// UpstreamStream: bytes passed on as they came, the end of turns, and boundaries.
#include "app/upstream_stream.h"

#include <gtest/gtest.h>

#include "stream_record.h"

namespace connguard {
namespace {

using testing::Frame;
using testing::Octets;
using testing::RandomFrames;
using testing::Record;
using testing::UpstreamRecord;
using testing::operator+;

constexpr std::string_view kToken = R"({"type":"chat_token","content":"so"})";
constexpr std::string_view kFinal = R"({"type":"chat","content":"so be it"})";

Octets TextFrame(std::string_view payload) { return Frame({.opcode = 1}, payload); }

TurnProfile ChatProfile() {
  TurnProfile profile;
  profile.policy.end = TurnEnd::kMatch;
  profile.end_pointer = "/type";
  profile.end_values = {"chat", "error"};
  return profile;
}

class UpstreamStreamTest : public ::testing::Test {
 protected:
  TurnProfile profile_ = ChatProfile();
  JsonInspector inspector_;
  UpstreamRecord sink_;
  UpstreamStream stream_{{}, profile_, inspector_, sink_};
};

TEST_F(UpstreamStreamTest, ManyFramesOfOneReadLeaveInOneCall) {
  Octets read;
  for (int i = 0; i < 50; ++i) read = std::move(read) + TextFrame(kToken);
  stream_.Feed(read);
  EXPECT_EQ(sink_.record.passes(), 1);
  EXPECT_EQ(sink_.record.passed(), read);
  EXPECT_EQ(sink_.answers, std::vector<bool>(50, false));
  EXPECT_EQ(stream_.messages(), 50U);
}

TEST_F(UpstreamStreamTest, AFinalMessageIsToldAfterItHasLeft) {
  stream_.Feed(TextFrame(kToken) + TextFrame(kFinal) + TextFrame(kToken));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{Record::Bytes(TextFrame(kToken) + TextFrame(kFinal)),
                                      "matched", Record::Bytes(TextFrame(kToken))}));
  EXPECT_EQ(sink_.answers, (std::vector<bool>{false, true, false}));
}

TEST_F(UpstreamStreamTest, TheMatcherReadsMessagesOverFragmentsAndReads) {
  // Cut within the very word that it looks for, by frames and by reads.
  const Octets bytes = Frame({.opcode = 1, .fin = false}, R"({"type":"er)") +
                       Frame({.opcode = 9}, "beat") + Frame({.opcode = 0, .fin = false}, "r") +
                       Frame({.opcode = 0}, R"(or"})");
  for (const std::size_t size : {1U, 2U, 7U, 1000U}) {
    UpstreamRecord sink;
    UpstreamStream stream({}, profile_, inspector_, sink);
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      stream.Feed(std::span(bytes).subspan(at, std::min(size, bytes.size() - at)));
    }
    EXPECT_EQ(sink.answers, std::vector<bool>{true}) << size;
  }
}

TEST_F(UpstreamStreamTest, ABinaryMessageNeverMatches) {
  stream_.Feed(Frame({.opcode = 2}, kFinal));
  EXPECT_EQ(sink_.answers, std::vector<bool>{false});
}

TEST_F(UpstreamStreamTest, WithoutAMatcherEveryMessageIsJustAnAnswer) {
  profile_.policy.end = TurnEnd::kEachAnswer;
  UpstreamStream stream({}, profile_, inspector_, sink_);
  stream.Feed(TextFrame(kFinal) + Frame({.opcode = 2}, "x"));
  EXPECT_EQ(sink_.answers, (std::vector<bool>{false, false}));
}

TEST_F(UpstreamStreamTest, AControlFrameComesInItsPlaceAndIsNotPassedOn) {
  stream_.Feed(TextFrame("one") + Frame({.opcode = 9}, "beat") + TextFrame("two"));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{Record::Bytes(TextFrame("one")),
                                      Record::Control(Opcode::kPing, "beat"),
                                      Record::Bytes(TextFrame("two"))}));
}

TEST_F(UpstreamStreamTest, BehindACloseThatEndsTheReadNothingIsLookedAt) {
  sink_.stop_at_close = true;
  stream_.Feed(TextFrame("one") + Frame({.opcode = 8}, "\x03\xE9") + TextFrame("late"));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{Record::Bytes(TextFrame("one")),
                                      Record::Control(Opcode::kClose, "\x03\xE9")}));
}

TEST_F(UpstreamStreamTest, WhatCameBeforeAnIllegalFrameIsPassedOnFirst) {
  stream_.Feed(TextFrame("good") + Frame({.opcode = 1, .masked = true}, "bad"));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{Record::Bytes(TextFrame("good")),
                                      Record::Violation(CloseCause::kUpstreamProtocol)}));
  EXPECT_EQ(sink_.violation_why, "frame from a server is masked");
}

TEST_F(UpstreamStreamTest, AMessageOverTheLimitIsTooBig) {
  UpstreamStream stream({.message_size = 10}, profile_, inspector_, sink_);
  stream.Feed(Frame({.opcode = 1, .fin = false}, "seven b") + Frame({.opcode = 0}, "four"));
  EXPECT_EQ(sink_.record.entries().back(), Record::Violation(CloseCause::kUpstreamTooBig));
  EXPECT_EQ(sink_.record.passed(), Frame({.opcode = 1, .fin = false}, "seven b"));
}

TEST_F(UpstreamStreamTest, StopAtBoundaryIsCalledOnceExactlyAtTheEndOfTheFrame) {
  const Octets first = Frame({.opcode = 1, .fin = false}, "the frame under way");
  const Octets rest = Frame({.opcode = 0}, "its message goes on") + TextFrame("another");
  stream_.Feed(std::span(first).first(5));
  EXPECT_FALSE(stream_.at_frame_boundary());
  stream_.StopAtBoundary();
  stream_.Feed(std::span(first).subspan(5, 3));
  EXPECT_EQ(sink_.record.entries().size(), 1U) << "not yet";
  stream_.Feed(Octets(first.begin() + 8, first.end()) + rest);
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{Record::Bytes(first), "boundary", Record::Bytes(rest)}));
}

TEST_F(UpstreamStreamTest, TheBoundaryOfAnAnswerComesBeforeTheAnswerIsTold) {
  const Octets frame = TextFrame(kFinal);
  stream_.Feed(std::span(frame).first(5));
  stream_.StopAtBoundary();
  stream_.Feed(std::span(frame).subspan(5));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{Record::Bytes(frame), "boundary", "matched"}));
}

TEST_F(UpstreamStreamTest, AHeaderThatWasSplitKeepsItsBytesWhateverFollows) {
  // An empty frame is all header, and the next header takes its place in the scanner.
  const Octets empty = TextFrame("");
  for (const Octets& next : {Frame({.opcode = 9}, "beat"), Octets{0x82}}) {
    UpstreamRecord sink;
    UpstreamStream stream({}, profile_, inspector_, sink);
    stream.Feed(std::span(empty).first(1));
    stream.Feed(Octets(empty.begin() + 1, empty.end()) + next);
    EXPECT_EQ(sink.record.passed(), empty);
  }
}

TEST_F(UpstreamStreamTest, AnySplitGivesTheSameRecord) {
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    RandomFrames frames(seed, false);
    const Octets bytes = frames.Make();
    const auto middle = static_cast<std::size_t>(frames.Below(static_cast<int>(bytes.size()) + 1));
    UpstreamRecord whole;
    for (const int longest : {100'000, 1, 3, 16, 300}) {
      UpstreamRecord sink;
      UpstreamStream stream({}, profile_, inspector_, sink);
      const std::span<const std::uint8_t> all(bytes);
      const auto feed = [&](std::span<const std::uint8_t> part) {
        if (longest == 100'000) {
          if (!part.empty() && !sink.violated) stream.Feed(part);
        } else {
          frames.Feed(stream, sink, part, longest);
        }
      };
      feed(all.first(middle));
      if (!stream.at_frame_boundary()) stream.StopAtBoundary();
      feed(all.subspan(middle));
      if (longest == 100'000) whole = sink;
      ASSERT_EQ(sink.record.entries(), whole.record.entries()) << "reads of up to " << longest;
      ASSERT_EQ(sink.answers, whole.answers);
    }
  }
}

}  // namespace
}  // namespace connguard
