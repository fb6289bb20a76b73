// Both streams, with compressed messages: read on a copy, passed on as they came.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "stream_record.h"
#include "ws/deflate.h"

namespace connguard {
namespace {

using testing::ClientRecord;
using testing::Deflater;
using testing::Frame;
using testing::Octets;
using testing::Record;
using testing::UpstreamRecord;
using testing::operator+;

constexpr Bytes kMessageSize = 10'000;
constexpr std::string_view kToken = R"({"type":"chat_token","content":"so"})";
constexpr std::string_view kFinal = R"({"type":"chat","content":"so be it"})";
constexpr std::uint8_t kCompressed = 0x40;

TurnProfile ReadingProfile() {
  TurnProfile profile;
  profile.policy.end = TurnEnd::kMatch;
  profile.end_pointer = "/type";
  profile.end_values = {"chat", "error"};
  profile.accept_json_object = true;
  return profile;
}

class CompressedStreamTest : public ::testing::Test {
 protected:
  // A message's payload, cut into frames.
  static Octets Frames(const Octets& payload, bool masked, std::size_t fragments = 1) {
    Octets bytes;
    const std::size_t size = payload.size() / fragments;
    for (std::size_t i = 0; i < fragments; ++i) {
      const bool last = i + 1 == fragments;
      const auto begin = payload.begin() + static_cast<std::ptrdiff_t>(i * size);
      const auto end = last ? payload.end() : begin + static_cast<std::ptrdiff_t>(size);
      bytes = std::move(bytes) + Frame({.opcode = static_cast<std::uint8_t>(i == 0 ? 1 : 0),
                                        .fin = last,
                                        .rsv = i == 0 ? kCompressed : std::uint8_t{0},
                                        .masked = masked},
                                       Octets(begin, end));
    }
    return bytes;
  }

  // Feeds `bytes` to a new stream, in reads of `size`, each in memory of its own.
  template <typename Stream, typename Sink>
  Sink Feed(const Octets& bytes, std::size_t size, const InflatePolicy& inflate = {}) {
    constexpr bool kMasked = std::is_same_v<Stream, ClientStream>;
    Sink sink;
    Stream stream({.masked = kMasked, .compressed = true, .message_size = kMessageSize}, profile_,
                  inspector_, sink, inflate);
    std::span<const std::uint8_t> rest(bytes);
    while (!rest.empty()) {
      const auto step = rest.first(std::min(size, rest.size()));
      stream.Feed(Octets(step.begin(), step.end()));
      rest = rest.subspan(step.size());
      if (kMasked && sink.violated) break;
    }
    return sink;
  }

  ClientRecord FeedClient(const Octets& bytes, std::size_t size) {
    return Feed<ClientStream, ClientRecord>(bytes, size);
  }
  UpstreamRecord FeedUpstream(const Octets& bytes, std::size_t size) {
    return Feed<UpstreamStream, UpstreamRecord>(bytes, size);
  }

  TurnProfile profile_ = ReadingProfile();
  JsonInspector inspector_;
};

constexpr std::initializer_list<std::size_t> kReads = {1, 2, 7, 100'000};

TEST_F(CompressedStreamTest, TheEndOfATurnIsSeenInCompressedMessages) {
  // The later messages are little but references to the first.
  Deflater deflater;
  Octets bytes;
  for (int i = 0; i < 3; ++i) {
    bytes = std::move(bytes) + Frames(deflater.Message(kToken), false);
    bytes = std::move(bytes) + Frames(deflater.Message(kFinal), false, 3);
    bytes = std::move(bytes) + Frame({.opcode = 1}, kToken);
  }
  for (const std::size_t size : kReads) {
    const UpstreamRecord sink = FeedUpstream(bytes, size);
    EXPECT_EQ(sink.answers,
              (std::vector<bool>{false, true, false, false, true, false, false, true, false}));
    EXPECT_EQ(sink.record.passed(), bytes) << "byte-exact";
    EXPECT_FALSE(sink.violated);
  }
}

TEST_F(CompressedStreamTest, AnObjectIsAcceptedByteExact) {
  Deflater deflater;
  Octets bytes;
  for (std::size_t i = 1; i < 6; ++i) {
    const std::string text = R"({"text":")" + std::string(100 * i, 'x') + R"("})";
    bytes = std::move(bytes) + Frames(deflater.Message(text), true, i);
  }
  for (const std::size_t size : kReads) {
    const ClientRecord sink = FeedClient(bytes, size);
    EXPECT_FALSE(sink.violated) << sink.violation_why;
    EXPECT_EQ(sink.record.passed(), bytes);
    EXPECT_EQ(sink.begun, 5);
  }
}

TEST_F(CompressedStreamTest, ACompressedTextThatIsNoObjectIsRefused) {
  for (const std::size_t size : kReads) {
    const ClientRecord sink = FeedClient(Frames(Deflater().Message("[1, 2]"), true, 2), size);
    EXPECT_EQ(sink.record.entries(),
              std::vector<std::string>{Record::Violation(CloseCause::kClientInvalid)});
  }
}

TEST_F(CompressedStreamTest, AClientsBombIsTooBigAndNothingOfItPasses) {
  const Octets bomb = Frames(Deflater().Message(std::string(1'000'000, ' ') + "{}"), true, 4);
  ASSERT_LT(bomb.size(), kMessageSize);
  for (const std::size_t size : kReads) {
    const ClientRecord sink = FeedClient(bomb, size);
    EXPECT_EQ(sink.record.entries(),
              std::vector<std::string>{Record::Violation(CloseCause::kClientTooBig)});
    EXPECT_EQ(sink.violation_why, "message inflates to more than the limit");
  }
}

TEST_F(CompressedStreamTest, AClientsCorruptMessageIsInvalid) {
  for (const std::size_t size : kReads) {
    const ClientRecord sink = FeedClient(Frames(testing::ToOctets("{\"a\":1}"), true), size);
    EXPECT_EQ(sink.record.entries(),
              std::vector<std::string>{Record::Violation(CloseCause::kClientInvalid)});
    EXPECT_EQ(sink.violation_why, "compressed message is corrupt");
  }
}

// The frame under way passes, so that a Close may follow; nothing behind it does.
TEST_F(CompressedStreamTest, AnUpstreamsUnreadableMessageIsReportedAtTheEndOfItsFrame) {
  Deflater deflater;
  const Octets good = Frames(deflater.Message(kToken), false);
  const Octets behind = Frame({.opcode = 1}, kFinal);
  const Octets close = Frame({.opcode = 8}, "\x03\xE8");
  const std::vector<std::pair<Octets, CloseCause>> cases = {
      {Frames(deflater.Message(std::string(1'000'000, 'x')), false), CloseCause::kUpstreamTooBig},
      {Frames(testing::ToOctets(kFinal), false), CloseCause::kUpstreamProtocol},
      {Frames(Octets{0x00, 0x06, 0x00, 0xf9, 0xff}, false), CloseCause::kUpstreamProtocol}};
  for (const auto& [bad, cause] : cases) {
    for (const std::size_t size : kReads) {
      const UpstreamRecord sink = FeedUpstream(good + bad + behind + close, size);
      EXPECT_EQ(sink.record.entries(),
                (std::vector<std::string>{Record::Bytes(good + bad), Record::Violation(cause),
                                          Record::Control(Opcode::kClose, "\x03\xE8")}));
      EXPECT_EQ(sink.answers, std::vector<bool>{false});
    }
  }
}

TEST_F(CompressedStreamTest, AnUpstreamsBombInFragmentsIsCutAtTheEndOfAFragment) {
  const Octets bomb = Frames(Deflater().Message(std::string(8'000'000, 'x')), false, 8);
  ASSERT_LT(bomb.size(), kMessageSize);
  for (const std::size_t size : kReads) {
    const UpstreamRecord sink = FeedUpstream(bomb, size);
    EXPECT_LT(sink.record.passed().size(), bomb.size() / 7);
    EXPECT_EQ(sink.record.entries().size(), 2U);
    EXPECT_EQ(sink.record.entries().back(), Record::Violation(CloseCause::kUpstreamTooBig));
  }
}

TEST_F(CompressedStreamTest, TheNegotiatedParametersHold) {
  // Without take-over a reference to the message before is corrupt.
  Deflater deflater;
  Octets bytes = Frames(deflater.Message(kToken), false);
  bytes = std::move(bytes) + Frames(deflater.Message(kToken), false);
  const auto feed = [&](const InflatePolicy& inflate) {
    return Feed<UpstreamStream, UpstreamRecord>(bytes, 1000, inflate);
  };
  EXPECT_FALSE(feed({}).violated);
  EXPECT_TRUE(feed({.context_takeover = false}).violated);
}

TEST_F(CompressedStreamTest, WhatNobodyReadsIsNotInflated) {
  profile_.policy.end = TurnEnd::kEachAnswer;
  profile_.accept_json_object = false;
  const Octets down = Frames(testing::ToOctets("not deflate data"), false);
  EXPECT_EQ(FeedUpstream(down, 5).record.entries(), std::vector<std::string>{Record::Bytes(down)});
  const Octets up = Frames(testing::ToOctets("not deflate data"), true);
  EXPECT_EQ(FeedClient(up, 1000).record.entries(),
            (std::vector<std::string>{"begin", Record::Bytes(up)}));
}

}  // namespace
}  // namespace connguard
