// Inflater: the examples of RFC 7692, streams of zlib's own, and what must not get through.
#include "ws/inflater.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

#include "deflate.h"

namespace connguard {
namespace {

using testing::Deflater;
using testing::Octets;
using testing::operator+;

constexpr Bytes kMessageSize = 1024 * 1024;

struct Inflated {
  InflateStatus status = InflateStatus::kSound;
  std::string text;

  friend bool operator==(const Inflated&, const Inflated&) = default;
  friend void PrintTo(const Inflated& inflated, std::ostream* out) {
    *out << static_cast<int>(inflated.status) << " '" << inflated.text.substr(0, 100) << "', "
         << inflated.text.size();
  }
};

Inflated Sound(std::string text) { return {InflateStatus::kSound, std::move(text)}; }
const Inflated kCorrupt{InflateStatus::kCorrupt, ""};
const Inflated kTooBig{InflateStatus::kTooBig, ""};

// Inflates one message that comes in pieces of `step` bytes.
Inflated Inflate(Inflater& inflater, std::span<const std::uint8_t> payload,
                 std::size_t step = 1'000'000'000) {
  std::vector<std::uint8_t> message;
  InflateStatus status = InflateStatus::kSound;
  while (!payload.empty() && status == InflateStatus::kSound) {
    const std::size_t size = std::min(step, payload.size());
    // In memory of its own: nobody may look at it later.
    const Octets piece(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
    status = inflater.Add(piece, message);
    payload = payload.subspan(size);
  }
  if (status == InflateStatus::kSound) status = inflater.End(message);
  if (status != InflateStatus::kSound) return {status, ""};
  return {status, {message.begin(), message.end()}};
}

Inflated Inflate(const Octets& payload) {
  Inflater inflater({}, kMessageSize);
  return Inflate(inflater, payload);
}

std::string Letters(std::size_t size, std::size_t seed = 1) {
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  std::string text;
  while (text.size() < size) text.push_back(static_cast<char>('a' + random() % 26));
  return text;
}

// RFC 7692 §7.2.3.
const Octets kHello = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
const Octets kHelloAgain = {0xf2, 0x00, 0x11, 0x00, 0x00};
const Octets kHelloStored = {0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00};
const Octets kHelloFinal = {0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00};
const Octets kHelloTwoBlocks = {0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff,
                                0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00};
const Octets kEmpty = {0x00};

TEST(InflaterTest, TheExamplesOfTheRfcInPiecesOfAnySize) {
  for (const std::size_t step : {1U, 2U, 3U, 100U}) {
    Inflater inflater({}, kMessageSize);
    EXPECT_EQ(Inflate(inflater, kHello, step), Sound("Hello"));
    EXPECT_EQ(Inflate(inflater, kHelloAgain, step), Sound("Hello")) << "refers to the first";
    EXPECT_EQ(Inflate(inflater, kHelloStored, step), Sound("Hello"));
    EXPECT_EQ(Inflate(inflater, kHelloFinal, step), Sound("Hello"));
    EXPECT_EQ(Inflate(inflater, kHelloTwoBlocks, step), Sound("Hello"));
    EXPECT_EQ(Inflate(inflater, kEmpty, step), Sound(""));
    EXPECT_EQ(Inflate(inflater, kHello, step), Sound("Hello"));
  }
}

TEST(InflaterTest, MessagesReferToThoseBeforeThemForAsLongAsTheConnectionLasts) {
  for (int bits = 9; bits <= 15; ++bits) {
    Deflater deflater(bits);
    Inflater inflater({.window_bits = bits}, kMessageSize);
    const std::string text = Letters(200);  // zlib refers back 250 bytes in a window of 512
    EXPECT_EQ(Inflate(inflater, deflater.Message(text)), Sound(text)) << bits;
    for (int i = 0; i < 200; ++i) {
      const Octets payload = deflater.Message(text);
      ASSERT_LT(payload.size(), 50U) << "does not refer back";
      ASSERT_EQ(Inflate(inflater, payload), Sound(text)) << bits << ' ' << i;
    }
  }
}

TEST(InflaterTest, WithoutTakeOverEachMessageStandsForItself) {
  for (int bits = 9; bits <= 15; ++bits) {
    Deflater deflater(bits, false);
    Inflater inflater({.window_bits = bits, .context_takeover = false}, kMessageSize);
    const std::string text = Letters(5000, static_cast<std::size_t>(bits));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(Inflate(inflater, deflater.Message(text)), Sound(text));
  }
  Inflater inflater({.context_takeover = false}, kMessageSize);
  EXPECT_EQ(Inflate(inflater, kHello), Sound("Hello"));
  EXPECT_EQ(Inflate(inflater, kHelloAgain), kCorrupt) << "there is nothing to refer to";
}

TEST(InflaterTest, AReferenceBeyondTheWindowIsCorrupt) {
  const std::string text = Letters(3000);
  Deflater deflater(15);
  Inflater inflater({.window_bits = 9}, kMessageSize);
  EXPECT_EQ(Inflate(inflater, deflater.Message(text)), Sound(text));
  EXPECT_EQ(Inflate(inflater, deflater.Message(text)), kCorrupt);
}

TEST(InflaterTest, AnyMessagesInAnyPieces) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const int bits = 9 + static_cast<int>(random() % 7);
    const bool takeover = random() % 2 == 0;
    Deflater deflater(bits, takeover);
    Inflater inflater({.window_bits = bits, .context_takeover = takeover}, kMessageSize);
    for (int i = 0; i < 8; ++i) {
      const std::string text =
          Letters(random() % 40 == 0 ? 200'000 : random() % 3000, random() % 9);
      const Octets payload =
          random() % 4 == 0 ? deflater.FinalMessage(text) : deflater.Message(text);
      const std::size_t step = random() % 2 == 0 ? 1 + random() % 70 : payload.size() + 1;
      ASSERT_EQ(Inflate(inflater, payload, step), Sound(text)) << round << ' ' << i;
    }
  }
}

TEST(InflaterTest, ABlockWithBfinalEndsNeitherTheMessageNorTheConnection) {
  Deflater deflater;
  const Octets final = deflater.FinalMessage("first, ");
  // Twice in one message, and at its very end: a stored block whose length is the tail.
  const Octets both = Octets(final.begin(), final.end() - 1) + deflater.FinalMessage("second");
  Inflater inflater({}, kMessageSize);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Inflate(inflater, both), Sound("first, second"));
    EXPECT_EQ(Inflate(inflater, Octets{0x01}), Sound(""));
    EXPECT_EQ(Inflate(inflater, kHello), Sound("Hello"));
    EXPECT_EQ(Inflate(inflater, kHelloAgain), Sound("Hello"));
  }
}

TEST(InflaterTest, WhatIsNoDeflateDataIsCorrupt) {
  EXPECT_EQ(Inflate(Octets{0x07}), kCorrupt) << "block type 3";
  EXPECT_EQ(Inflate(Octets{0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48}), kCorrupt) << "stored length";
  EXPECT_EQ(Inflate(Octets{0xf2, 0x00, 0x11, 0x00, 0x00}), kCorrupt) << "refers to nothing";
  EXPECT_EQ(Inflate(testing::ToOctets(R"({"type":"chat"})")), kCorrupt) << "plain text";
}

TEST(InflaterTest, AMessageThatEndsWithinABlockIsCorrupt) {
  // Its end would be in the next message.
  EXPECT_EQ(Inflate(Octets{}), kCorrupt) << "an empty message is one zero byte";
  EXPECT_EQ(Inflate(Octets{0x00, 0x06, 0x00, 0xf9, 0xff, 0x48}), kCorrupt);
  for (std::size_t size = 1; size + 1 < kHello.size(); ++size) {
    EXPECT_EQ(Inflate(Octets(kHello.begin(), kHello.begin() + static_cast<std::ptrdiff_t>(size))),
              kCorrupt)
        << size;
  }
}

TEST(InflaterTest, AfterAnErrorNothingIsReadAnyMore) {
  Inflater inflater({}, kMessageSize);
  EXPECT_EQ(Inflate(inflater, Octets{0x07}), kCorrupt);
  EXPECT_EQ(Inflate(inflater, kHello), kCorrupt);
}

TEST(InflaterTest, AMessageOfTheLimitPassesAndOneByteMoreDoesNot) {
  for (const std::size_t step : {1U, 1000U}) {
    Deflater deflater;
    Inflater inflater({}, 100'000);
    const std::string text(100'000, 'x');
    EXPECT_EQ(Inflate(inflater, deflater.Message(text), step), Sound(text));
    EXPECT_EQ(Inflate(inflater, deflater.Message("small"), step), Sound("small"));
    EXPECT_EQ(Inflate(inflater, deflater.Message(text + "x"), step), kTooBig);
    EXPECT_EQ(Inflate(inflater, deflater.Message("small"), step), kTooBig);
  }
}

TEST(InflaterTest, ABombCostsNoMoreThanTheLimit) {
  constexpr std::size_t kBomb = 10 * 1024 * 1024;
  const Octets payload = Deflater().Message(std::string(kBomb, '\0'));
  ASSERT_LT(payload.size(), 11'000U);
  Inflater inflater({}, kMessageSize);
  std::vector<std::uint8_t> message;
  std::size_t taken = 0;
  while (taken < payload.size() &&
         inflater.Add(std::span(payload).subspan(taken, 1), message) == InflateStatus::kSound) {
    ++taken;
  }
  EXPECT_LT(taken, payload.size() / 9) << "a tenth of the bomb makes the limit";
  EXPECT_LE(message.size(), kMessageSize);
  EXPECT_LE(message.capacity(), kMessageSize);
  // At once, too.
  Inflater other({}, kMessageSize);
  message = {};
  EXPECT_EQ(other.Add(payload, message), InflateStatus::kTooBig);
  EXPECT_LE(message.capacity(), kMessageSize);
}

}  // namespace
}  // namespace connguard
