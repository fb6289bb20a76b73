// FrameScanner: finds the frames of one direction of a WebSocket connection in its byte stream.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "connguard/types.h"
#include "ws/control_frame.h"

namespace connguard {

struct ScanPolicy {
  bool masked = false;  // the sender is a client: every frame must be masked; else none may be
  bool compressed =
      false;  // permessage-deflate was negotiated: RSV1 is legal on a message's first frame
  Bytes message_size = 16 * 1024 * 1024;  // a longer message is an error (1009)
};

// What Next() found. Views live until the next call.
struct Piece {
  enum class Kind : std::uint8_t {
    kNone,     // the input is used up
    kData,     // bytes of a data frame, to be passed on as they are
    kControl,  // a whole control frame; not passed on by itself
    kError,    // illegal: close with `error`; the scanner is unusable from now on
  };
  Kind kind = Kind::kNone;
  Opcode opcode = Opcode::kText;  // kData: of the message (never kContinuation); kControl: its own
  bool begins_message = false;    // kData: `raw` starts with the first byte of a message
  bool begins_frame = false;      // kData: `raw` starts with the first byte of a frame's header
  bool ends_frame = false;        // kData: `raw` ends with the last byte of a frame
  bool ends_message = false;      // kData: and of its message
  bool rsv1 = false;              // kData: the message is compressed
  // kData: frame bytes, header included where it begins here. Points into the input, or, for a
  // header that was split over reads, into the scanner.
  std::span<const std::uint8_t> raw;
  // kData: the payload at the end of `raw`, still masked. kControl: the payload, unmasked.
  std::span<const std::uint8_t> payload;
  // kData: the key to unmask `payload` with, rotated to its first byte; kControl: the key that the
  // frame came with. Zero when not masked.
  MaskKey mask{};
  CloseCode error = CloseCode::kNone;
  std::uint64_t frame_size = 0;  // kData, with begins_frame: of the frame's payload
  bool fin = false;              // likewise
  const char* why = "";          // kError: a short sentence for the log
};

// FrameScanner walks over frame headers in place: it neither unmasks nor copies data payload, and
// holds back only a header that is not complete yet (it must know the opcode before a byte may
// pass). Checks the framing rules of RFC 6455 §5.2, §5.4, §5.5 and §7.4 (close codes on the wire),
// and UTF-8 in a Close frame's reason; not that of text messages. A compressed message counts with
// its compressed size.
//
// Pure; not thread-safe. Call Next() until kNone (or kError) before offering new input.
class FrameScanner {
 public:
  explicit FrameScanner(const ScanPolicy& policy);

  // Takes the next piece off the front of `in` and advances it.
  Piece Next(std::span<const std::uint8_t>& in);

  // True between frames of data as they were passed on: our own frames may go in here.
  bool at_frame_boundary() const { return remaining_ == 0; }
  // True between messages.
  bool at_message_boundary() const { return remaining_ == 0 && !message_open_; }

 private:
  enum class State : std::uint8_t { kHeader, kPayload, kControl, kFailed };

  static constexpr std::size_t kMaxHeader = 14;
  static constexpr std::size_t kMaxControlPayload = 125;

  // Bytes of a header whose second byte is `second`.
  static std::size_t HeaderSize(std::uint8_t second);
  static std::uint64_t LengthOf(const std::uint8_t* header);
  // The common case; what this refuses goes to NextSlowly, which says why.
  bool IsSoundData(std::uint8_t first, std::uint8_t second) const;
  bool IsSoundLength(std::uint8_t second, std::uint64_t length, std::uint64_t before) const;

  // Enters the data frame whose sound and complete header this is. False: its length is illegal.
  bool BeginData(const std::uint8_t* header, std::size_t header_size, Piece& piece);
  // Puts what `in` has of the frame's payload, `header_size` header bytes before it, into `piece`.
  void TakePayload(std::span<const std::uint8_t>& in, std::size_t header_size, Piece& piece);

  using ControlPayload = std::array<std::uint8_t, kMaxControlPayload>;

  Piece NextSlowly(std::span<const std::uint8_t>& in);
  bool HoldHeader(std::span<const std::uint8_t>& in);
  const char* Diagnose(std::uint8_t first, std::uint8_t second) const;
  Piece BeginControl(std::size_t header_size, std::span<const std::uint8_t>& in);
  Piece CollectControl(std::span<const std::uint8_t>& in);
  Piece FailLength(std::uint8_t second, std::uint64_t length);
  Piece Fail(CloseCode code, const char* why);

  std::uint64_t remaining_ = 0;      // payload bytes of the data frame still to come
  std::uint64_t message_bytes_ = 0;  // payload of the message, up to the end of the current frame
  std::uint64_t message_size_;
  State state_ = State::kHeader;
  bool masked_;
  bool compressed_;
  bool message_open_ = false;  // the frame before (or the current one) had no FIN
  bool message_rsv1_ = false;
  Opcode message_opcode_ = Opcode::kText;
  std::uint8_t held_ = 0;  // bytes in header_
  std::uint8_t control_have_ = 0;
  std::uint8_t control_size_ = 0;
  CloseCode error_ = CloseCode::kNone;
  MaskKey mask_{};  // rotated to the next payload byte
  std::array<std::uint8_t, kMaxHeader> header_{};
  std::unique_ptr<ControlPayload> control_;  // only from a control frame's header to the next call
};

inline std::size_t FrameScanner::HeaderSize(std::uint8_t second) {
  const std::uint8_t length = second & 0x7F;
  const std::size_t extended = length < 126 ? 0 : length == 126 ? 2 : 8;
  return 2 + extended + ((second & 0x80) != 0 ? sizeof(MaskKey) : 0);
}

inline std::uint64_t FrameScanner::LengthOf(const std::uint8_t* header) {
  const std::uint8_t length = header[1] & 0x7F;
  if (length < 126) return length;
  std::uint64_t value = 0;
  for (std::size_t i = 2; i < (length == 126 ? 4U : 10U); ++i) value = (value << 8) | header[i];
  return value;
}

inline bool FrameScanner::IsSoundData(std::uint8_t first, std::uint8_t second) const {
  const std::uint8_t opcode = first & 0x0F;
  const bool starts = opcode == 1 || opcode == 2;
  const auto allowed = static_cast<std::uint8_t>(compressed_ && starts ? 0x40 : 0);
  return opcode <= 2 && starts != message_open_ && (first & 0x70 & ~allowed) == 0 &&
         ((second & 0x80) != 0) == masked_;
}

inline bool FrameScanner::IsSoundLength(std::uint8_t second, std::uint64_t length,
                                        std::uint64_t before) const {
  const std::uint8_t shortest = second & 0x7F;
  const std::uint64_t least = shortest < 126 ? 0 : shortest == 126 ? 126 : 65536;
  return length >= least && before <= message_size_ && length <= message_size_ - before;
}

inline bool FrameScanner::BeginData(const std::uint8_t* header, std::size_t header_size,
                                    Piece& piece) {
  const std::uint64_t length = LengthOf(header);
  const auto opcode = static_cast<Opcode>(header[0] & 0x0F);
  const bool begins = opcode != Opcode::kContinuation;
  const std::uint64_t before = begins ? 0 : message_bytes_;
  if (!IsSoundLength(header[1], length, before)) [[unlikely]] {
    piece = FailLength(header[1], length);
    return false;
  }
  if (begins) {
    message_opcode_ = opcode;
    message_rsv1_ = (header[0] & 0x40) != 0;
  }
  message_open_ = (header[0] & 0x80) == 0;
  message_bytes_ = before + length;
  remaining_ = length;
  if (masked_) std::memcpy(mask_.data(), header + header_size - mask_.size(), mask_.size());
  piece.begins_message = begins;
  piece.begins_frame = true;
  piece.frame_size = length;
  piece.fin = !message_open_;
  return true;
}

inline void FrameScanner::TakePayload(std::span<const std::uint8_t>& in, std::size_t header_size,
                                      Piece& piece) {
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, in.size() - header_size));
  piece.kind = Piece::Kind::kData;
  piece.raw = in.first(header_size + size);
  piece.payload = piece.raw.subspan(header_size);
  in = in.subspan(header_size + size);
  piece.opcode = message_opcode_;
  piece.rsv1 = message_rsv1_;
  piece.mask = mask_;
  remaining_ -= size;
  piece.ends_frame = remaining_ == 0;
  piece.ends_message = piece.ends_frame && !message_open_;
  state_ = piece.ends_frame ? State::kHeader : State::kPayload;
  if (masked_ && !piece.ends_frame) {
    for (std::size_t i = 0; i < mask_.size(); ++i) mask_[i] = piece.mask[(size + i) % mask_.size()];
  }
}

// One piece, made where the caller wants it: it is as large as some frames.
inline Piece FrameScanner::Next(std::span<const std::uint8_t>& in) {
  Piece piece;
  const std::size_t header_size =
      state_ == State::kHeader && held_ == 0 && in.size() >= 2 && IsSoundData(in[0], in[1])
          ? HeaderSize(in[1])
          : 0;
  if (header_size > 0 && in.size() >= header_size) [[likely]] {
    if (BeginData(in.data(), header_size, piece)) TakePayload(in, header_size, piece);
  } else if (state_ == State::kPayload && !in.empty()) {
    TakePayload(in, 0, piece);
  } else if (!in.empty() || state_ > State::kPayload || control_ != nullptr) {
    piece = NextSlowly(in);
  }
  return piece;
}

}  // namespace connguard
