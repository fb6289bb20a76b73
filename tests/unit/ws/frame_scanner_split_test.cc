// FrameScanner: however the stream is cut into reads, the result is the same.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "frames.h"
#include "ws/frame_scanner.h"

namespace connguard {
namespace {

using testing::Frame;
using testing::Octets;
using testing::operator+;

// All that a scanner says of a stream, in a form that does not depend on the reads.
struct Transcript {
  Octets raw;                         // data frames, as passed on
  std::vector<std::string> messages;  // payload, with a letter for the kind before it
  std::vector<std::string> controls;  // opcode and payload
  CloseCode error = CloseCode::kNone;
  std::string why;

  friend bool operator==(const Transcript&, const Transcript&) = default;
};

class Scan {
 public:
  explicit Scan(const ScanPolicy& policy) : scanner_(policy) {}

  void Feed(std::span<const std::uint8_t> in) {
    while (told_.why.empty()) {
      const Piece piece = scanner_.Next(in);
      if (piece.kind == Piece::Kind::kNone) {
        EXPECT_TRUE(in.empty());
        return;
      }
      Record(piece);
    }
  }

  const Transcript& told() const { return told_; }

 private:
  void Record(const Piece& piece) {
    if (piece.kind == Piece::Kind::kError) {
      told_.error = piece.error;
      told_.why = piece.why;
      return;
    }
    if (piece.kind == Piece::Kind::kControl) {
      told_.controls.push_back(std::to_string(static_cast<int>(piece.opcode)) +
                               std::string(piece.payload.begin(), piece.payload.end()));
      return;
    }
    told_.raw.insert(told_.raw.end(), piece.raw.begin(), piece.raw.end());
    if (piece.begins_message) {
      told_.messages.emplace_back(1, piece.opcode == Opcode::kText ? 'T' : 'B');
      told_.messages.back() += piece.rsv1 ? 'z' : '-';
    }
    Octets payload(piece.payload.size());
    Unmask(piece.payload, piece.mask, payload.data());
    told_.messages.back().append(payload.begin(), payload.end());
    if (piece.ends_message) told_.messages.back() += '.';
    EXPECT_EQ(piece.ends_frame, scanner_.at_frame_boundary());
    EXPECT_EQ(piece.ends_message, scanner_.at_message_boundary());
  }

  FrameScanner scanner_;
  Transcript told_;
};

struct Stream {
  ScanPolicy policy;
  Octets bytes;  // all of it
  Octets data;   // without the control frames
};

class StreamMaker {
 public:
  explicit StreamMaker(std::uint32_t seed) : random_(seed) {}

  Stream Make() {
    Stream stream;
    stream.policy = {.masked = Chance(2), .compressed = Chance(2), .message_size = 100'000};
    const int messages = Below(6);
    for (int i = 0; i < messages; ++i) AddMessage(stream);
    if (Chance(3) && !stream.bytes.empty()) {  // one byte changed: most often an error
      stream.bytes[static_cast<std::size_t>(Below(static_cast<int>(stream.bytes.size())))] ^=
          static_cast<std::uint8_t>(1 << Below(8));
      stream.data.clear();
    }
    return stream;
  }

  int Below(int bound) { return std::uniform_int_distribution(0, bound - 1)(random_); }
  bool Chance(int one_in) { return Below(one_in) == 0; }

 private:
  MaskKey Key() {
    MaskKey key;
    for (std::uint8_t& byte : key) byte = static_cast<std::uint8_t>(Below(256));
    return key;
  }

  Octets Payload() {
    constexpr int kSizes[] = {0, 1, 7, 124, 125, 126, 127, 300, 65535, 65536};
    Octets payload(static_cast<std::size_t>(kSizes[Below(Chance(20) ? 10 : 8)]));
    for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(Below(256));
    return payload;
  }

  void AddMessage(Stream& stream) {
    const bool masked = stream.policy.masked;
    const int fragments = 1 + (Chance(2) ? Below(4) : 0);
    const std::uint8_t rsv = stream.policy.compressed && Chance(2) ? 0x40 : 0;
    for (int i = 0; i < fragments; ++i) {
      const auto opcode = static_cast<std::uint8_t>(i > 0 ? 0 : 1 + Below(2));
      const Octets frame = Frame({.opcode = opcode,
                                  .fin = i + 1 == fragments,
                                  .rsv = i == 0 ? rsv : std::uint8_t{0},
                                  .masked = masked,
                                  .key = Key()},
                                 Payload());
      stream.bytes = std::move(stream.bytes) + frame;
      stream.data = std::move(stream.data) + frame;
      while (Chance(3)) {
        Octets payload(static_cast<std::size_t>(Below(126)), 'p');
        const auto control = static_cast<std::uint8_t>(9 + Below(2));
        stream.bytes = std::move(stream.bytes) +
                       Frame({.opcode = control, .masked = masked, .key = Key()}, payload);
      }
    }
  }

  std::mt19937 random_;
};

TEST(FrameScannerSplitTest, AnySplitGivesTheSameResult) {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    StreamMaker maker(seed);
    const Stream stream = maker.Make();
    Scan whole(stream.policy);
    whole.Feed(stream.bytes);
    if (!stream.data.empty()) {
      ASSERT_EQ(whole.told().why, "");
      ASSERT_EQ(whole.told().raw, stream.data) << "input minus control frames";
    }
    for (const int longest : {1, 3, 16, 4096}) {
      Scan split(stream.policy);
      std::span<const std::uint8_t> rest(stream.bytes);
      while (!rest.empty()) {
        const auto size = std::min(rest.size(), static_cast<std::size_t>(1 + maker.Below(longest)));
        split.Feed(rest.first(size));
        rest = rest.subspan(size);
      }
      ASSERT_EQ(split.told(), whole.told()) << "reads of up to " << longest;
    }
  }
}

}  // namespace
}  // namespace connguard
