// Client to upstream: window and acceptance.
#include "app/client_stream.h"

#include <algorithm>

#include "connguard/give_back.h"

namespace connguard {

ClientStream::ClientStream(const ScanPolicy& policy, const TurnProfile& profile,
                           JsonInspector& inspector, ClientStreamSink& sink,
                           const InflatePolicy& inflate)
    : scanner_(policy), inspector_(inspector), sink_(sink) {
  if (profile.accept_json_object) {
    judge_ = std::make_unique<Judge>(Judge{MessageAssembler(policy.message_size, inflate), {}});
  }
}

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
        if (!sink_.ClientControl(piece.opcode, piece.payload, piece.mask, data.empty())) return;
        break;
      case Piece::Kind::kData:
        if (piece.ends_message) ++messages_;
        if (judge_ != nullptr) {
          run.Flush();
          if (!JudgePiece(piece)) return;
        } else {
          if (piece.begins_message) {
            passing_ = held_ == nullptr && sink_.MayBegin();
            if (passing_) sink_.MessageBegun();
          }
          if (passing_) {
            run.Add(piece.raw, data);
          } else {
            Hold(piece.raw, piece.ends_message);
          }
        }
        if (data.empty()) return;
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
  const std::optional<std::span<const std::uint8_t>> text = judge_->message.Add(piece);
  if (judge_->message.fault() != InflateStatus::kSound) {
    ReportUnreadable();
    return false;
  }
  const bool whole = piece.begins_message && piece.ends_message;
  if (!whole) judge_->frames.insert(judge_->frames.end(), piece.raw.begin(), piece.raw.end());
  if (!text) return true;
  const JsonInspector::Kind kind = inspector_.Classify(*text);
  judge_->message.Clear();
  if (kind != JsonInspector::Kind::kObject) {
    sink_.ClientViolation(CloseCause::kClientInvalid, "the turn profile accepts JSON objects only");
    return false;
  }
  const std::span<const std::uint8_t> frames = whole ? piece.raw : judge_->frames;
  if (held_ == nullptr && sink_.MayBegin()) {
    sink_.MessageBegun();
    sink_.ToUpstream(frames);
  } else {
    Hold(frames, true);
  }
  GiveBack(judge_->frames);
  return true;
}

void ClientStream::ReportUnreadable() {
  if (judge_->message.fault() == InflateStatus::kTooBig) {
    sink_.ClientViolation(CloseCause::kClientTooBig, "message inflates to more than the limit");
  } else {
    sink_.ClientViolation(CloseCause::kClientInvalid, "compressed message is corrupt");
  }
}

void ClientStream::Hold(std::span<const std::uint8_t> raw, bool ends_message) {
  if (held_ == nullptr) held_ = std::make_unique<Held>();
  held_->frames.insert(held_->frames.end(), raw.begin(), raw.end());
  if (!ends_message) return;
  held_->ends.push_back(held_->frames.size() - held_->whole);
  held_->whole = held_->frames.size();
}

void ClientStream::Release() {
  if (held_ == nullptr) return;
  std::vector<std::uint8_t>& frames = held_->frames;
  std::deque<std::size_t>& ends = held_->ends;
  std::size_t passed = 0;
  while (!ends.empty() && sink_.MayBegin()) {
    sink_.MessageBegun();
    sink_.ToUpstream(std::span(frames).subspan(passed, ends.front()));
    passed += ends.front();
    ends.pop_front();
  }
  if (ends.empty() && passed < frames.size() && sink_.MayBegin()) {
    // The beginning of a message whose rest is still to come.
    sink_.MessageBegun();
    sink_.ToUpstream(std::span(frames).subspan(passed));
    passed = frames.size();
    passing_ = true;
  }
  if (passed == frames.size()) {
    held_.reset();
    return;
  }
  held_->whole -= std::min(passed, held_->whole);
  frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(passed));
}

}  // namespace connguard
