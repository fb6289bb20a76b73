// Fuzzes Inflater: any pieces give the same messages, and zlib in one call the same again.
//
// Input: byte 0 the policy, byte 1 the longest piece; then messages, each behind two bytes of
// length.
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "require.h"
#include "ws/inflater.h"

namespace connguard {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr Bytes kMessageSize = 5000;

struct Told {
  std::vector<Octets> messages;
  InflateStatus status = InflateStatus::kSound;

  friend bool operator==(const Told&, const Told&) = default;
};

std::vector<Octets> Messages(std::span<const std::uint8_t> in) {
  std::vector<Octets> messages;
  while (in.size() >= 2) {
    const std::size_t size = std::min<std::size_t>(in[0] * 256U + in[1], in.size() - 2);
    const auto message = in.subspan(2, size);
    messages.emplace_back(message.begin(), message.end());
    in = in.subspan(2 + size);
  }
  return messages;
}

Told Inflate(const InflatePolicy& policy, const std::vector<Octets>& messages, std::size_t step) {
  Inflater inflater(policy, kMessageSize);
  Told told;
  for (const Octets& payload : messages) {
    Octets message;
    std::span<const std::uint8_t> rest(payload);
    while (!rest.empty() && told.status == InflateStatus::kSound) {
      const auto piece = rest.first(std::min(step, rest.size()));
      told.status = inflater.Add(piece, message);
      rest = rest.subspan(piece.size());
      CONNGUARD_REQUIRE(message.size() <= kMessageSize && message.capacity() <= kMessageSize);
    }
    if (told.status == InflateStatus::kSound) told.status = inflater.End(message);
    if (told.status != InflateStatus::kSound) {
      CONNGUARD_REQUIRE(inflater.Add(payload, message) == told.status || payload.empty());
      CONNGUARD_REQUIRE(inflater.End(message) == told.status);
      break;
    }
    told.messages.push_back(std::move(message));
  }
  return told;
}

// The first message once more, by a single call; only for one stream without BFINAL.
void CompareWithZlib(const InflatePolicy& policy, Octets payload, const Octets& message) {
  payload.insert(payload.end(), {0x00, 0x00, 0xFF, 0xFF});
  Octets out(kMessageSize);
  z_stream zlib{};
  CONNGUARD_REQUIRE(inflateInit2(&zlib, -policy.window_bits) == Z_OK);
  zlib.next_in = payload.data();
  zlib.avail_in = static_cast<uInt>(payload.size());
  zlib.next_out = out.data();
  zlib.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&zlib, Z_SYNC_FLUSH);
  out.resize(out.size() - zlib.avail_out);
  CONNGUARD_REQUIRE(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
  if (result != Z_STREAM_END) CONNGUARD_REQUIRE(out == message && zlib.avail_in == 0);
  inflateEnd(&zlib);
}

}  // namespace
}  // namespace connguard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connguard;
  if (size < 2) return 0;
  const InflatePolicy policy{.window_bits = 8 + (data[0] & 7),
                             .context_takeover = (data[0] & 8) != 0};
  const std::vector<Octets> messages = Messages({data + 2, size - 2});
  const Told whole = Inflate(policy, messages, size);
  for (const std::size_t longest : {std::size_t{1}, std::size_t{1} + data[1]}) {
    const Told split = Inflate(policy, messages, longest);
    // Beyond a small window zlib sees as far as the output of one call goes.
    const bool strict = policy.window_bits == 15 || split.status == InflateStatus::kSound;
    CONNGUARD_REQUIRE(split == whole || !strict);
    CONNGUARD_REQUIRE(split.messages.size() <= whole.messages.size());
    CONNGUARD_REQUIRE(
        std::ranges::equal(split.messages, std::span(whole.messages).first(split.messages.size())));
  }
  if (!whole.messages.empty()) CompareWithZlib(policy, messages[0], whole.messages[0]);
  return 0;
}
