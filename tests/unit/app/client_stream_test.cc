// ClientStream: bytes passed on as they came, and the turn window.
#include "app/client_stream.h"

#include <gtest/gtest.h>

#include "stream_record.h"

namespace connguard {
namespace {

using testing::ClientRecord;
using testing::Frame;
using testing::Octets;
using testing::RandomFrames;
using testing::Record;
using testing::operator+;

constexpr ScanPolicy kFromClient{.masked = true};

Octets TextFrame(std::string_view payload) { return Frame({.opcode = 1, .masked = true}, payload); }
Octets Begin(std::string_view payload) {
  return Frame({.opcode = 1, .fin = false, .masked = true}, payload);
}
Octets Continue(std::string_view payload, bool fin) {
  return Frame({.opcode = 0, .fin = fin, .masked = true}, payload);
}
Octets Ping(std::string_view payload) { return Frame({.opcode = 9, .masked = true}, payload); }

class ClientStreamTest : public ::testing::Test {
 protected:
  TurnProfile profile_;
  JsonInspector inspector_;
  ClientRecord sink_;
  ClientStream stream_{kFromClient, profile_, inspector_, sink_};
};

TEST_F(ClientStreamTest, ManyFramesOfOneReadLeaveInOneCall) {
  Octets read;
  for (int i = 0; i < 50; ++i) {
    read = std::move(read) + TextFrame("hello " + std::to_string(i)) + Begin("a") +
           Continue("b", true);
  }
  stream_.Feed(read);
  EXPECT_EQ(sink_.record.passes(), 1);
  EXPECT_EQ(sink_.record.passed(), read);
  EXPECT_EQ(stream_.messages(), 100U);
}

// Also where a frame's header is split over reads, or its payload.
TEST_F(ClientStreamTest, EachDataFrameIsRecordedOnce) {
  FlightRecorder recorder{TimePoint()};
  stream_.RecordIn(recorder);
  const Octets bytes = TextFrame("hello") + Begin("a") + Continue("bcd", false) +
                       Continue("", true) + TextFrame(std::string(70'000, 'x'));
  for (const std::uint8_t& byte : bytes) stream_.Feed({&byte, 1});
  EXPECT_EQ(recorder.ToLine(TimePoint()),
            "-0 client text 5 fin; -0 client text 1; -0 client continuation 3; "
            "-0 client continuation 0 fin; -0 client text 70000 fin");
}

TEST_F(ClientStreamTest, AControlFrameComesInItsPlaceAndIsNotPassedOn) {
  stream_.Feed(TextFrame("one") + Ping("beat") + TextFrame("two"));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{"begin", Record::Bytes(TextFrame("one")),
                                      Record::Control(Opcode::kPing, "beat"), "begin",
                                      Record::Bytes(TextFrame("two"))}));
}

TEST_F(ClientStreamTest, BehindACloseThatEndsTheReadNothingIsLookedAt) {
  sink_.stop_at_close = true;
  stream_.Feed(Frame({.opcode = 8, .masked = true}, "\x03\xE8") + TextFrame("late"));
  EXPECT_EQ(sink_.record.entries(),
            std::vector<std::string>{Record::Control(Opcode::kClose, "\x03\xE8")});
  EXPECT_FALSE(sink_.nothing_behind);
}

TEST_F(ClientStreamTest, AControlFrameThatIsTheLastOfItsReadIsToldSo) {
  stream_.Feed(Ping("first") + Ping("last"));
  EXPECT_TRUE(sink_.nothing_behind);
  const Octets whole = Ping("whole");
  const Octets both = whole + Ping("split");
  stream_.Feed(std::span(both).first(whole.size() + 1));
  EXPECT_FALSE(sink_.nothing_behind);
  stream_.Feed(std::span(both).subspan(whole.size() + 1));
  EXPECT_TRUE(sink_.nothing_behind);
}

TEST_F(ClientStreamTest, WhatCameBeforeAnIllegalFrameIsPassedOnFirst) {
  stream_.Feed(TextFrame("good") + Frame({.opcode = 1, .masked = false}, "bad"));
  EXPECT_EQ(sink_.record.entries(),
            (std::vector<std::string>{"begin", Record::Bytes(TextFrame("good")),
                                      Record::Violation(CloseCause::kClientProtocol)}));
  EXPECT_EQ(sink_.violation_why, "frame from a client is not masked");
}

TEST_F(ClientStreamTest, AMessageOverTheLimitIsTooBig) {
  ClientStream stream({.masked = true, .message_size = 10}, profile_, inspector_, sink_);
  stream.Feed(TextFrame("exactly 10") + TextFrame("more than 10"));
  EXPECT_EQ(sink_.record.entries().back(), Record::Violation(CloseCause::kClientTooBig));
  EXPECT_EQ(sink_.record.passed(), TextFrame("exactly 10"));
}

TEST_F(ClientStreamTest, AFrameOfOurOwnGoesOnlyBetweenFrames) {
  const Octets frame = TextFrame("a message");
  EXPECT_TRUE(stream_.at_frame_boundary());
  stream_.Feed(std::span(frame).first(7));
  EXPECT_FALSE(stream_.at_frame_boundary());
  stream_.Feed(std::span(frame).subspan(7));
  EXPECT_TRUE(stream_.at_frame_boundary());
  EXPECT_EQ(sink_.record.passed(), frame);
}

TEST_F(ClientStreamTest, AHeldFrameIsNotInTheWayOfOurOwn) {
  sink_.open = 0;
  const Octets frame = TextFrame("a message");
  stream_.Feed(std::span(frame).first(9));
  EXPECT_EQ(stream_.held(), 9U);
  EXPECT_TRUE(stream_.at_frame_boundary());
}

TEST_F(ClientStreamTest, MessagesBeyondTheWindowAreHeldAndReleasedInOrderOneByOne) {
  sink_.open = 1;
  const Octets fragmented = Begin("th") + Continue("re", false) + Continue("e", true);
  stream_.Feed(TextFrame("one") + TextFrame("two") + fragmented + TextFrame("four"));
  EXPECT_EQ(sink_.record.passed(), TextFrame("one"));
  EXPECT_EQ(stream_.held(), (TextFrame("two") + fragmented + TextFrame("four")).size());
  EXPECT_EQ(stream_.messages(), 4U);

  stream_.Release();  // the window is still shut
  EXPECT_EQ(sink_.record.passed(), TextFrame("one"));
  Octets passed = TextFrame("one");
  for (const Octets& next : {TextFrame("two"), fragmented, TextFrame("four")}) {
    passed = passed + next;
    sink_.open = 1;
    stream_.Release();
    EXPECT_EQ(sink_.record.passed(), passed);
  }
  EXPECT_EQ(stream_.held(), 0U);
}

TEST_F(ClientStreamTest, TheBeginningOfAHeldMessageIsReleasedAndItsRestPassesOn) {
  sink_.open = 1;
  stream_.Feed(TextFrame("one") + Begin("tw"));
  EXPECT_EQ(sink_.record.passed(), TextFrame("one"));
  sink_.open = 1;
  stream_.Release();
  EXPECT_EQ(sink_.record.passed(), TextFrame("one") + Begin("tw"));
  EXPECT_EQ(stream_.held(), 0U);
  stream_.Feed(Continue("o", true) + TextFrame("three"));
  EXPECT_EQ(sink_.record.passed(), TextFrame("one") + Begin("tw") + Continue("o", true));
  EXPECT_EQ(stream_.held(), TextFrame("three").size());
  EXPECT_EQ(std::ranges::count(sink_.record.entries(), "begin"), 2);
}

TEST_F(ClientStreamTest, AnOpenWindowReleasesWholeMessagesAndTheBeginningOfTheLast) {
  sink_.open = 0;
  const Octets bytes = TextFrame("one") + TextFrame("two") + TextFrame("three");
  stream_.Feed(std::span(bytes).first(bytes.size() - 2));
  sink_.open = testing::kNoLimit;
  stream_.Release();
  stream_.Feed(std::span(bytes).last(2));
  EXPECT_EQ(sink_.record.passed(), bytes);
  EXPECT_EQ(std::ranges::count(sink_.record.entries(), "begin"), 3);
}

TEST_F(ClientStreamTest, ANewMessageDoesNotOvertakeAHeldOne) {
  sink_.open = 0;
  stream_.Feed(TextFrame("one"));
  sink_.open = 1;  // nobody has called Release yet
  stream_.Feed(TextFrame("two"));
  EXPECT_TRUE(sink_.record.passed().empty());
  stream_.Release();
  EXPECT_EQ(sink_.record.passed(), TextFrame("one"));
}

TEST_F(ClientStreamTest, ControlFramesDoNotWaitForTheWindow) {
  sink_.open = 0;
  stream_.Feed(TextFrame("one") + Ping("beat"));
  EXPECT_EQ(sink_.record.entries(),
            std::vector<std::string>{Record::Control(Opcode::kPing, "beat")});
}

TEST_F(ClientStreamTest, AHeaderThatWasSplitKeepsItsBytesWhateverFollows) {
  // An empty frame is all header, and the next header takes its place in the scanner.
  const Octets empty = TextFrame("");
  for (std::size_t cut = 1; cut < empty.size(); ++cut) {
    ClientRecord sink;
    ClientStream stream(kFromClient, profile_, inspector_, sink);
    stream.Feed(std::span(empty).first(cut));
    const Octets rest(empty.begin() + static_cast<std::ptrdiff_t>(cut), empty.end());
    stream.Feed(rest + Ping("beat"));
    EXPECT_EQ(sink.record.passed(), empty) << cut;
  }
}

// Every entry of the record, whatever the reads; messages are released in the middle of it.
TEST_F(ClientStreamTest, AnySplitGivesTheSameRecord) {
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    RandomFrames frames(seed, true);
    const Octets bytes = frames.Make();
    TurnProfile profile;
    profile.accept_json_object = frames.Below(2) == 0;
    const int window = frames.Below(4);
    const auto middle =
        static_cast<std::ptrdiff_t>(frames.Below(static_cast<int>(bytes.size()) + 1));
    ClientRecord whole;
    for (const int longest : {100'000, 1, 3, 16, 300}) {
      ClientRecord sink;
      sink.open = window;
      sink.note_begins = false;
      ClientStream stream(kFromClient, profile, inspector_, sink);
      const std::span<const std::uint8_t> all(bytes);
      const auto feed = [&](std::span<const std::uint8_t> part) {
        if (longest == 100'000) {
          if (!part.empty() && !sink.violated) stream.Feed(part);
        } else {
          frames.Feed(stream, sink, part, longest);
        }
      };
      feed(all.first(static_cast<std::size_t>(middle)));
      ++sink.open;
      stream.Release();
      feed(all.subspan(static_cast<std::size_t>(middle)));
      sink.open = testing::kNoLimit;
      stream.Release();
      if (longest == 100'000) whole = sink;
      ASSERT_EQ(sink.record.entries(), whole.record.entries()) << "reads of up to " << longest;
      ASSERT_EQ(sink.begun, whole.begun);
    }
  }
}

}  // namespace
}  // namespace connguard
