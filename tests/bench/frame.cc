#include "bench/frame.h"

#include <algorithm>
#include <cstring>

namespace connguard::bench {
namespace {

constexpr std::array<char, 4> kMaskKey{'\x5a', '\x13', '\x7e', '\x21'};
constexpr unsigned kFin = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kSize16 = 126;  // the size follows in 16 bits, or in 64
constexpr unsigned kSize64 = 127;
constexpr std::size_t kLargestPayload = 64 << 20;

void MaskWith(std::span<char> bytes, std::array<char, 4> key, std::size_t offset) {
  std::rotate(key.begin(), key.begin() + static_cast<std::ptrdiff_t>(offset % 4), key.end());
  std::array<char, 8> twice{};
  for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = key[i % 4];
  std::uint64_t wide = 0;
  std::memcpy(&wide, twice.data(), sizeof(wide));
  std::size_t i = 0;
  for (; i + sizeof(wide) <= bytes.size(); i += sizeof(wide)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof(word));
    word ^= wide;
    std::memcpy(bytes.data() + i, &word, sizeof(word));
  }
  for (; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i % 4]);
}

void AppendSize(std::string& frame, std::size_t size, unsigned masked) {
  const auto append = [&frame](std::uint64_t value) { frame += static_cast<char>(value & 0xff); };
  const unsigned bytes = size < kSize16 ? 0 : size <= 0xffff ? 2 : 8;
  append(masked | (bytes == 0 ? size : bytes == 2 ? kSize16 : kSize64));
  for (unsigned byte = bytes; byte > 0; --byte) append(std::uint64_t{size} >> (8 * (byte - 1)));
}

}  // namespace

std::string MakeFrame(Sender sender, Opcode opcode, std::string_view payload) {
  const bool masks = sender == Sender::kClient;
  std::string frame;
  frame.reserve(14 + payload.size());
  frame += static_cast<char>(kFin | static_cast<unsigned>(opcode));
  AppendSize(frame, payload.size(), masks ? kMasked : 0);
  if (masks) frame.append(kMaskKey.data(), kMaskKey.size());
  frame.append(payload);
  if (masks) Mask(std::span(frame).last(payload.size()));
  return frame;
}

void Mask(std::span<char> bytes, std::size_t offset) { MaskWith(bytes, kMaskKey, offset); }

bool FrameReader::Next(std::string_view& input) {
  while (fault_.empty() && !input.empty() && !in_payload_) {
    TakeHead(input);
    if (head_size_ < 2 || head_size_ < HeadSize()) continue;
    OnHead();
  }
  if (!fault_.empty() || !in_payload_) return false;
  const std::size_t part = std::min(size_ - payload_.size(), input.size());
  payload_.append(input.substr(0, part));
  input.remove_prefix(part);
  if (payload_.size() < size_) return false;
  if (sender_ == Sender::kClient) {
    std::array<char, 4> key{};
    std::memcpy(key.data(), head_.data() + HeadSize() - key.size(), key.size());
    MaskWith(payload_, key, 0);
  }
  in_payload_ = false;
  head_size_ = 0;
  return true;
}

void FrameReader::TakeHead(std::string_view& input) {
  const std::size_t wanted = head_size_ < 2 ? 2 : HeadSize();
  const std::size_t part = std::min(wanted - head_size_, input.size());
  std::memcpy(head_.data() + head_size_, input.data(), part);
  head_size_ += part;
  input.remove_prefix(part);
}

std::size_t FrameReader::HeadSize() const {
  const unsigned size = head_[1] & 0x7fU;
  return 2U + (size == kSize16 ? 2U : size == kSize64 ? 8U : 0U) + ((head_[1] & kMasked) ? 4U : 0U);
}

void FrameReader::OnHead() {
  size_ = head_[1] & 0x7fU;
  const std::size_t bytes = size_ == kSize16 ? 2 : size_ == kSize64 ? 8 : 0;
  if (bytes > 0) size_ = 0;
  for (std::size_t i = 0; i < bytes; ++i) size_ = size_ << 8 | head_[2 + i];
  const bool masked = (head_[1] & kMasked) != 0;
  const auto code = opcode();
  if ((head_[0] & 0xf0U) != kFin) {
    fault_ = "a fragment or a reserved bit";
  } else if (code != Opcode::kText && code != Opcode::kClose && code != Opcode::kPing &&
             code != Opcode::kPong) {
    fault_ = "another opcode than was expected";
  } else if (masked != (sender_ == Sender::kClient)) {
    fault_ = masked ? "a masked frame of the server" : "a frame of the client without mask";
  } else if (size_ > kLargestPayload) {
    fault_ = "a frame that is too long";
  }
  payload_.clear();
  in_payload_ = true;
}

}  // namespace connguard::bench
