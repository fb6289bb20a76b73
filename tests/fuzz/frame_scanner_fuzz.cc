// Fuzzes FrameScanner and MessageAssembler: any split of a stream gives the same result.
//
// Input: byte 0 the policy, byte 1 the longest read; the rest is the stream.
#include <algorithm>
#include <string>
#include <vector>

#include "require.h"
#include "ws/message_inspector.h"

namespace connguard {
namespace {

using Octets = std::vector<std::uint8_t>;

struct Told {
  Octets raw;
  std::vector<Octets> messages;
  std::vector<Octets> controls;
  CloseCode error = CloseCode::kNone;
  std::string why;

  friend bool operator==(const Told&, const Told&) = default;
};

class Scan {
 public:
  explicit Scan(const ScanPolicy& policy) : scanner_(policy), assembler_(policy.message_size) {}

  void Feed(std::span<const std::uint8_t> in) {
    while (told_.error == CloseCode::kNone) {
      const Piece piece = scanner_.Next(in);
      if (piece.kind == Piece::Kind::kNone) {
        CONNGUARD_REQUIRE(in.empty());
        return;
      }
      Record(piece);
    }
  }

  const Told& told() const { return told_; }

 private:
  void Record(const Piece& piece) {
    if (piece.kind == Piece::Kind::kError) {
      told_.error = piece.error;
      told_.why = piece.why;
      CONNGUARD_REQUIRE(piece.error != CloseCode::kNone && !told_.why.empty());
      return;
    }
    if (piece.kind == Piece::Kind::kControl) {
      CONNGUARD_REQUIRE(piece.payload.size() <= 125);
      told_.controls.emplace_back(piece.payload.begin(), piece.payload.end());
      return;
    }
    CONNGUARD_REQUIRE(!piece.raw.empty() && piece.payload.size() <= piece.raw.size());
    CONNGUARD_REQUIRE(piece.ends_frame == scanner_.at_frame_boundary());
    CONNGUARD_REQUIRE(piece.ends_message == scanner_.at_message_boundary());
    told_.raw.insert(told_.raw.end(), piece.raw.begin(), piece.raw.end());
    const auto message = assembler_.Add(piece);
    const bool sound = assembler_.fault() == InflateStatus::kSound;
    CONNGUARD_REQUIRE(sound || piece.rsv1);
    CONNGUARD_REQUIRE(message.has_value() == (piece.ends_message && sound));
    if (message) told_.messages.emplace_back(message->begin(), message->end());
  }

  FrameScanner scanner_;
  MessageAssembler assembler_;
  Told told_;
};

}  // namespace
}  // namespace connguard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connguard;
  if (size < 2) return 0;
  const ScanPolicy policy{.masked = (data[0] & 1) != 0,
                          .compressed = (data[0] & 2) != 0,
                          .message_size = (data[0] & 4) != 0 ? Bytes{200} : Bytes{1} << 40};
  const std::span<const std::uint8_t> stream(data + 2, size - 2);
  Scan whole(policy);
  whole.Feed(stream);
  for (const std::size_t longest : {std::size_t{1}, std::size_t{1} + data[1]}) {
    Scan split(policy);
    for (std::size_t at = 0; at < stream.size(); at += longest) {
      split.Feed(stream.subspan(at, std::min(longest, stream.size() - at)));
    }
    CONNGUARD_REQUIRE(split.told() == whole.told());
  }
  return 0;
}
