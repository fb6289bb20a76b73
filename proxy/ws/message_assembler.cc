// MessageAssembler: see the header.
#include "ws/message_inspector.h"

namespace connguard {
namespace {

// Kept for the next message: idle tunnels are many.
constexpr std::size_t kKeptBytes = 4 * 1024;

}  // namespace

std::optional<std::span<const std::uint8_t>> MessageAssembler::Add(const Piece& piece) {
  const bool masked = piece.mask != MaskKey{};
  if (piece.begins_message) {
    if (piece.ends_message && !masked && piece.payload.size() <= message_size_) {
      return piece.payload;
    }
    Clear();
    too_long_ = false;
  }
  too_long_ = too_long_ || piece.payload.size() > message_size_ - payload_.size();
  if (too_long_) {
    Clear();
    return std::nullopt;
  }
  const std::size_t before = payload_.size();
  payload_.insert(payload_.end(), piece.payload.begin(), piece.payload.end());
  if (masked) {
    const std::span<std::uint8_t> added = std::span(payload_).subspan(before);
    Unmask(added, piece.mask, added.data());
  }
  if (!piece.ends_message) return std::nullopt;
  return std::span<const std::uint8_t>(payload_);
}

void MessageAssembler::Clear() {
  payload_.clear();
  if (payload_.capacity() > kKeptBytes) payload_ = {};
}

}  // namespace connguard
