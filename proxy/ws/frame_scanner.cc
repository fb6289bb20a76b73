// FrameScanner, off the hot path: headers split over reads, control frames, errors.
#include "ws/frame_scanner.h"

#include <simdjson.h>

namespace connguard {
namespace {

bool IsControl(std::uint8_t first) { return (first & 0x08) != 0; }

// The complaint about a Close payload, or nothing.
struct Complaint {
  CloseCode code = CloseCode::kNone;
  const char* why = nullptr;
};
Complaint CheckClose(std::span<const std::uint8_t> payload) {
  if (payload.empty()) return {};
  if (payload.size() == 1)
    return {CloseCode::kProtocolError, "Close frame with half a status code"};
  const ClosePayload close = ParseClose(payload);
  if (!MayBeSent(close.code)) {
    return {CloseCode::kProtocolError, "Close frame with a code that must not be sent"};
  }
  if (!simdjson::validate_utf8(reinterpret_cast<const char*>(close.reason.data()),
                               close.reason.size())) {
    return {CloseCode::kInvalidPayload, "Close reason is not UTF-8"};
  }
  return {};
}

}  // namespace

FrameScanner::FrameScanner(const ScanPolicy& policy)
    : message_size_(policy.message_size), masked_(policy.masked), compressed_(policy.compressed) {}

Piece FrameScanner::NextSlowly(std::span<const std::uint8_t>& in) {
  if (state_ == State::kFailed) return Fail(error_, "after an earlier violation");
  if (state_ == State::kControl) return CollectControl(in);
  control_.reset();
  if (state_ == State::kPayload) return {};  // comes here only without input
  const bool complete = HoldHeader(in);
  if (held_ < 2) return {};
  if (const char* why = Diagnose(header_[0], header_[1]); why != nullptr) {
    return Fail(CloseCode::kProtocolError, why);
  }
  if (!complete) return {};
  const std::size_t header_size = held_;
  held_ = 0;
  if (IsControl(header_[0])) return BeginControl(header_size, in);
  Piece piece;
  if (!BeginData(header_.data(), header_size, piece)) return piece;
  std::span<const std::uint8_t> header(header_.data(), header_size);
  TakePayload(header, header_size, piece);
  return piece;
}

// Moves header bytes from `in` to header_; true when it is complete.
bool FrameScanner::HoldHeader(std::span<const std::uint8_t>& in) {
  for (;;) {
    const std::size_t needed = held_ < 2 ? 2 : HeaderSize(header_[1]);
    if (held_ == needed) return true;
    const std::size_t size = std::min(needed - held_, in.size());
    if (size == 0) return false;
    std::copy_n(in.begin(), size, header_.begin() + held_);
    held_ = static_cast<std::uint8_t>(held_ + size);
    in = in.subspan(size);
  }
}

const char* FrameScanner::Diagnose(std::uint8_t first, std::uint8_t second) const {
  const std::uint8_t opcode = first & 0x0F;
  const bool fin = (first & 0x80) != 0;
  if ((first & 0x30) != 0) return "reserved bit RSV2 or RSV3 is set";
  if ((first & 0x40) != 0) {
    if (!compressed_) return "RSV1 is set but no extension was negotiated";
    if (IsControl(first)) return "RSV1 is set on a control frame";
    if (opcode == 0) return "RSV1 is set on a continuation frame";
  }
  if ((opcode > 0x2 && opcode < 0x8) || opcode > 0xA) return "reserved opcode";
  if (masked_ && (second & 0x80) == 0) return "frame from a client is not masked";
  if (!masked_ && (second & 0x80) != 0) return "frame from a server is masked";
  if (IsControl(first)) {
    if (!fin) return "control frame is fragmented";
    if ((second & 0x7F) > kMaxControlPayload) return "control frame is longer than 125 bytes";
    return nullptr;
  }
  if (opcode == 0 && !message_open_) return "continuation frame without a message";
  if (opcode != 0 && message_open_) return "new message inside a fragmented one";
  return nullptr;
}

Piece FrameScanner::BeginControl(std::size_t header_size, std::span<const std::uint8_t>& in) {
  state_ = State::kControl;
  control_ = std::make_unique<ControlPayload>();
  control_size_ = header_[1] & 0x7F;
  control_have_ = 0;
  if (masked_) {
    std::memcpy(mask_.data(), header_.data() + header_size - mask_.size(), mask_.size());
  }
  return CollectControl(in);
}

Piece FrameScanner::CollectControl(std::span<const std::uint8_t>& in) {
  const std::size_t size =
      std::min<std::size_t>(in.size(), static_cast<std::size_t>(control_size_ - control_have_));
  std::copy_n(in.begin(), size, control_->begin() + control_have_);
  in = in.subspan(size);
  control_have_ = static_cast<std::uint8_t>(control_have_ + size);
  if (control_have_ < control_size_) return {};

  state_ = State::kHeader;
  const std::span<const std::uint8_t> payload(control_->data(), control_size_);
  if (masked_) Unmask(payload, mask_, control_->data());
  Piece piece;
  piece.kind = Piece::Kind::kControl;
  piece.opcode = static_cast<Opcode>(header_[0] & 0x0F);
  piece.payload = payload;
  if (masked_) piece.mask = mask_;
  if (piece.opcode == Opcode::kClose) {
    const Complaint complaint = CheckClose(payload);
    if (complaint.why != nullptr) return Fail(complaint.code, complaint.why);
  }
  return piece;
}

Piece FrameScanner::FailLength(std::uint8_t second, std::uint64_t length) {
  const std::uint8_t shortest = second & 0x7F;
  if ((shortest == 126 && length < 126) || (shortest == 127 && length < 65536)) {
    return Fail(CloseCode::kProtocolError, "payload length is not in its shortest form");
  }
  if (length >> 63 != 0) {
    return Fail(CloseCode::kProtocolError, "payload length has its top bit set");
  }
  return Fail(CloseCode::kMessageTooBig, "message is longer than the limit");
}

Piece FrameScanner::Fail(CloseCode code, const char* why) {
  state_ = State::kFailed;
  error_ = code;
  Piece piece;
  piece.kind = Piece::Kind::kError;
  piece.error = code;
  piece.why = why;
  return piece;
}

}  // namespace connguard
