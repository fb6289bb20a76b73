// Control frames: reading a Close, making our own Ping, Pong and Close.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "connguard/types.h"

namespace connguard {

// RFC 6455 §5.2.
enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

// A key of RFC 6455 §5.3; zero when a frame is not masked.
using MaskKey = std::array<std::uint8_t, 4>;

// XORs `in` with `mask`, whose first byte belongs to the first byte of `in`. `out` has room for as
// many bytes as `in` and may be `in`'s own memory.
void Unmask(std::span<const std::uint8_t> in, const MaskKey& mask, std::uint8_t* out);

// The payload of a Close frame: its code (kNone when empty) and its reason.
struct ClosePayload {
  CloseCode code = CloseCode::kNone;
  std::span<const std::uint8_t> reason;
};
// `payload` as a FrameScanner handed it out: it is sound, so it is never one byte long.
ClosePayload ParseClose(std::span<const std::uint8_t> payload);

// A control frame that we make ourselves: at most 2 + 4 + 125 bytes, by value.
struct ControlFrame {
  std::array<std::uint8_t, 131> storage{};
  std::uint8_t size = 0;
  std::span<const std::uint8_t> bytes() const { return {storage.data(), size}; }
};

// A frame of at most 125 payload bytes (more is cut off). `masked`: towards an upstream; the key
// comes from the system's random source (RFC 6455 §5.3).
ControlFrame MakeControl(Opcode opcode, std::span<const std::uint8_t> payload, bool masked);
// With a given key; nullptr: not masked. A peer's own key makes its frame again, byte for byte.
ControlFrame MakeControl(Opcode opcode, std::span<const std::uint8_t> payload, const MaskKey* key);
// `code` kNone gives an empty payload. `reason` is cut to what fits, on a UTF-8 boundary.
ControlFrame MakeClose(CloseCode code, std::span<const std::uint8_t> reason, bool masked);

// True for codes that may be sent in a Close frame (RFC 6455 §7.4, IANA registry: 1000-1003,
// 1007-1014, 3000-4999).
constexpr bool MayBeSent(CloseCode code) {
  const auto number = static_cast<std::uint16_t>(code);
  return (number >= 1000 && number <= 1003) || (number >= 1007 && number <= 1014) ||
         (number >= 3000 && number <= 4999);
}

}  // namespace connguard
