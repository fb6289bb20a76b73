// MessageAssembler: see the header.
#include <algorithm>
#include <array>

#include "ws/message_inspector.h"

namespace connguard {
namespace {

// Kept for the next message: idle tunnels are many.
constexpr std::size_t kKeptBytes = 4 * 1024;

// Unmasked at a time; a multiple of the key's length.
constexpr std::size_t kStep = 4 * 1024;

bool IsMasked(const Piece& piece) { return piece.mask != MaskKey{}; }

}  // namespace

std::optional<std::span<const std::uint8_t>> MessageAssembler::Add(const Piece& piece) {
  if (piece.begins_message) {
    fault_ = InflateStatus::kSound;
    const bool as_it_came = piece.ends_message && !IsMasked(piece) && !piece.rsv1;
    if (as_it_came && piece.payload.size() <= message_size_) return piece.payload;
    Clear();
  }
  if (fault_ == InflateStatus::kSound) {
    fault_ = piece.rsv1 ? AddCompressed(piece) : AddPlain(piece);
    if (fault_ != InflateStatus::kSound) Clear();
  }
  if (!piece.ends_message || fault_ != InflateStatus::kSound) return std::nullopt;
  return std::span<const std::uint8_t>(payload_);
}

InflateStatus MessageAssembler::AddPlain(const Piece& piece) {
  if (piece.payload.size() > message_size_ - payload_.size()) return InflateStatus::kTooBig;
  const std::size_t before = payload_.size();
  payload_.insert(payload_.end(), piece.payload.begin(), piece.payload.end());
  if (IsMasked(piece)) {
    const std::span<std::uint8_t> added = std::span(payload_).subspan(before);
    Unmask(added, piece.mask, added.data());
  }
  return InflateStatus::kSound;
}

InflateStatus MessageAssembler::AddCompressed(const Piece& piece) {
  InflateStatus status = InflateStatus::kSound;
  if (IsMasked(piece)) {
    std::array<std::uint8_t, kStep> unmasked;
    std::span<const std::uint8_t> rest = piece.payload;
    while (!rest.empty() && status == InflateStatus::kSound) {
      const std::span<const std::uint8_t> step = rest.first(std::min(kStep, rest.size()));
      Unmask(step, piece.mask, unmasked.data());
      status = inflater_.Add(std::span(unmasked).first(step.size()), payload_);
      rest = rest.subspan(step.size());
    }
  } else {
    status = inflater_.Add(piece.payload, payload_);
  }
  if (status == InflateStatus::kSound && piece.ends_message) status = inflater_.End(payload_);
  return status;
}

void MessageAssembler::Clear() {
  payload_.clear();
  if (payload_.capacity() > kKeptBytes) payload_ = {};
}

}  // namespace connguard
