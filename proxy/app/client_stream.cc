// Client to upstream: window and acceptance.
#include "app/client_stream.h"

#include <algorithm>

namespace connguard {

ClientStream::ClientStream(const ScanPolicy& policy, const TurnProfile& profile,
                           JsonInspector& inspector, ClientStreamSink& sink,
                           const InflatePolicy& inflate)
    : scanner_(policy),
      profile_(profile),
      inspector_(inspector),
      sink_(sink),
      assembler_(policy.message_size, inflate) {}

bool ClientStream::at_frame_boundary() const { return !passing_ || scanner_.at_frame_boundary(); }

void ClientStream::Feed(std::span<const std::uint8_t> data) {
  FrameRun run([this](std::span<const std::uint8_t> frames) { sink_.ToUpstream(frames); });
  while (true) {
    const Piece piece = scanner_.Next(data);
    if (piece.begins_frame && recorder_ != nullptr) {
      recorder_->Frame(Side::kClient, piece.begins_message ? piece.opcode : Opcode::kContinuation,
                       piece.fin, piece.frame_size);
    }
    switch (piece.kind) {
      case Piece::Kind::kNone:
        return;
      case Piece::Kind::kError:
        run.Flush();
        sink_.ClientViolation(piece.error == CloseCode::kMessageTooBig
                                  ? CloseCause::kClientTooBig
                                  : CloseCause::kClientProtocol,
                              piece.why);
        return;
      case Piece::Kind::kControl:
        run.Flush();
        if (!sink_.ClientControl(piece.opcode, piece.payload, piece.mask)) return;
        break;
      case Piece::Kind::kData:
        if (piece.ends_message) ++messages_;
        if (profile_.accept_json_object) {
          run.Flush();
          if (!JudgePiece(piece)) return;
        } else {
          if (piece.begins_message) {
            passing_ = held_.empty() && sink_.MayBegin();
            if (passing_) sink_.MessageBegun();
          }
          if (passing_) {
            run.Add(piece.raw, data);
          } else {
            Hold(piece.raw, piece.ends_message);
          }
        }
        break;
    }
  }
}

bool ClientStream::JudgePiece(const Piece& piece) {
  if (piece.begins_message && piece.opcode != Opcode::kText) {
    sink_.ClientViolation(CloseCause::kClientUnacceptable,
                          "the turn profile accepts JSON objects only, not binary messages");
    return false;
  }
  const std::optional<std::span<const std::uint8_t>> text = assembler_.Add(piece);
  if (assembler_.fault() != InflateStatus::kSound) {
    ReportUnreadable();
    return false;
  }
  const bool whole = piece.begins_message && piece.ends_message;
  if (!whole) judged_.insert(judged_.end(), piece.raw.begin(), piece.raw.end());
  if (!text) return true;
  const JsonInspector::Kind kind = inspector_.Classify(*text);
  assembler_.Clear();
  if (kind != JsonInspector::Kind::kObject) {
    sink_.ClientViolation(CloseCause::kClientInvalid, "the turn profile accepts JSON objects only");
    return false;
  }
  const std::span<const std::uint8_t> frames = whole ? piece.raw : judged_;
  if (held_.empty() && sink_.MayBegin()) {
    sink_.MessageBegun();
    sink_.ToUpstream(frames);
  } else {
    Hold(frames, true);
  }
  judged_ = {};
  return true;
}

void ClientStream::ReportUnreadable() {
  if (assembler_.fault() == InflateStatus::kTooBig) {
    sink_.ClientViolation(CloseCause::kClientTooBig, "message inflates to more than the limit");
  } else {
    sink_.ClientViolation(CloseCause::kClientInvalid, "compressed message is corrupt");
  }
}

void ClientStream::Hold(std::span<const std::uint8_t> raw, bool ends_message) {
  held_.insert(held_.end(), raw.begin(), raw.end());
  if (!ends_message) return;
  held_ends_.push_back(held_.size() - held_whole_);
  held_whole_ = held_.size();
}

void ClientStream::Release() {
  std::size_t passed = 0;
  while (!held_ends_.empty() && sink_.MayBegin()) {
    sink_.MessageBegun();
    sink_.ToUpstream(std::span(held_).subspan(passed, held_ends_.front()));
    passed += held_ends_.front();
    held_ends_.pop_front();
  }
  if (held_ends_.empty() && passed < held_.size() && sink_.MayBegin()) {
    // The beginning of a message whose rest is still to come.
    sink_.MessageBegun();
    sink_.ToUpstream(std::span(held_).subspan(passed));
    passed = held_.size();
    passing_ = true;
  }
  held_whole_ -= std::min(passed, held_whole_);
  if (passed == held_.size()) {
    held_ = {};
  } else {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(passed));
  }
}

}  // namespace connguard
