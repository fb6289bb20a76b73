// Control frames: see the header.
#include "ws/control_frame.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace connguard {
namespace {

constexpr std::size_t kMaxControlPayload = 125;
constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kMasked = 0x80;

MaskKey RandomKey() {
  // Not a seeded generator: control frames are rare, and §5.3 wants keys that nobody can predict.
  thread_local std::random_device source;
  const std::uint32_t word = source();
  MaskKey key;
  std::memcpy(key.data(), &word, key.size());
  return key;
}

bool IsUtf8Continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

void Unmask(std::span<const std::uint8_t> in, const MaskKey& mask, std::uint8_t* out) {
  std::uint64_t wide = 0;
  std::memcpy(&wide, mask.data(), mask.size());
  std::memcpy(reinterpret_cast<std::uint8_t*>(&wide) + mask.size(), mask.data(), mask.size());
  std::size_t i = 0;
  for (; i + sizeof(wide) <= in.size(); i += sizeof(wide)) {
    std::uint64_t block = 0;
    std::memcpy(&block, in.data() + i, sizeof(block));
    block ^= wide;
    std::memcpy(out + i, &block, sizeof(block));
  }
  for (; i < in.size(); ++i) out[i] = static_cast<std::uint8_t>(in[i] ^ mask[i % mask.size()]);
}

ClosePayload ParseClose(std::span<const std::uint8_t> payload) {
  if (payload.size() < 2) return {};
  return {static_cast<CloseCode>((payload[0] << 8) | payload[1]), payload.subspan(2)};
}

ControlFrame MakeControl(Opcode opcode, std::span<const std::uint8_t> payload, bool masked) {
  if (!masked) return MakeControl(opcode, payload, nullptr);
  const MaskKey key = RandomKey();
  return MakeControl(opcode, payload, &key);
}

ControlFrame MakeControl(Opcode opcode, std::span<const std::uint8_t> payload, const MaskKey* key) {
  payload = payload.first(std::min(payload.size(), kMaxControlPayload));
  ControlFrame frame;
  const auto length = static_cast<std::uint8_t>(payload.size());
  frame.storage[0] = static_cast<std::uint8_t>(kFin | static_cast<std::uint8_t>(opcode));
  frame.storage[1] = key != nullptr ? static_cast<std::uint8_t>(kMasked | length) : length;
  frame.size = 2;
  if (key != nullptr) {
    std::memcpy(frame.storage.data() + frame.size, key->data(), key->size());
    frame.size = 2 + sizeof(*key);
  }
  Unmask(payload, key != nullptr ? *key : MaskKey{}, frame.storage.data() + frame.size);
  frame.size = static_cast<std::uint8_t>(frame.size + length);
  return frame;
}

ControlFrame MakeClose(CloseCode code, std::span<const std::uint8_t> reason, bool masked) {
  if (code == CloseCode::kNone) return MakeControl(Opcode::kClose, {}, masked);
  std::array<std::uint8_t, kMaxControlPayload> payload;
  const auto number = static_cast<std::uint16_t>(code);
  payload[0] = static_cast<std::uint8_t>(number >> 8);
  payload[1] = static_cast<std::uint8_t>(number & 0xFF);
  std::size_t length = std::min(reason.size(), payload.size() - 2);
  if (length < reason.size()) {
    while (length > 0 && IsUtf8Continuation(reason[length])) --length;
  }
  std::copy_n(reason.begin(), length, payload.begin() + 2);
  return MakeControl(Opcode::kClose, std::span(payload).first(2 + length), masked);
}

}  // namespace connguard
