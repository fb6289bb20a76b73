// Upstream to client.
#include "app/upstream_stream.h"

#include <optional>
#include <utility>

namespace connguard {

UpstreamStream::UpstreamStream(const ScanPolicy& policy, const TurnProfile& profile,
                               JsonInspector& inspector, UpstreamStreamSink& sink,
                               const InflatePolicy& inflate)
    : scanner_(policy), profile_(profile), inspector_(inspector), sink_(sink) {
  if (profile.policy.end == TurnEnd::kMatch) {
    assembler_ = std::make_unique<MessageAssembler>(policy.message_size, inflate);
  }
}

bool UpstreamStream::Matches(const Piece& piece) {
  if (assembler_ == nullptr) return false;
  const std::optional<std::span<const std::uint8_t>> text = assembler_->Add(piece);
  if (!text) return false;
  const bool matched = piece.opcode == Opcode::kText &&
                       inspector_.Matches(*text, profile_.end_pointer, profile_.end_values);
  assembler_->Clear();
  return matched;
}

void UpstreamStream::ReportUnreadable() {
  unreadable_ = true;
  if (assembler_->fault() == InflateStatus::kTooBig) {
    sink_.UpstreamViolation(CloseCause::kUpstreamTooBig, "message inflates to more than the limit");
  } else {
    sink_.UpstreamViolation(CloseCause::kUpstreamProtocol, "compressed message is corrupt");
  }
}

void UpstreamStream::Feed(std::span<const std::uint8_t> data) {
  FrameRun run([this](std::span<const std::uint8_t> frames) { sink_.ToClient(frames); });
  while (true) {
    const Piece piece = scanner_.Next(data);
    if (piece.begins_frame && recorder_ != nullptr) {
      recorder_->Frame(Side::kUpstream, piece.begins_message ? piece.opcode : Opcode::kContinuation,
                       piece.fin, piece.frame_size);
    }
    switch (piece.kind) {
      case Piece::Kind::kNone:
        return;
      case Piece::Kind::kError:
        run.Flush();
        sink_.UpstreamViolation(piece.error == CloseCode::kMessageTooBig
                                    ? CloseCause::kUpstreamTooBig
                                    : CloseCause::kUpstreamProtocol,
                                piece.why);
        return;
      case Piece::Kind::kControl:
        run.Flush();
        if (!sink_.UpstreamControl(piece.opcode, piece.payload)) return;
        break;
      case Piece::Kind::kData: {
        if (unreadable_) break;
        run.Add(piece.raw, data);
        const bool matched = Matches(piece);
        if (piece.ends_frame && stop_at_boundary_) {
          run.Flush();
          stop_at_boundary_ = false;
          sink_.AtBoundary();
        }
        if (piece.ends_frame && assembler_ != nullptr &&
            assembler_->fault() != InflateStatus::kSound) {
          run.Flush();
          ReportUnreadable();
          break;
        }
        if (piece.ends_message) {
          ++messages_;
          // The turn must not end, and its successor begin, before its answer has left.
          if (matched || profile_.policy.end == TurnEnd::kEachAnswer) run.Flush();
          sink_.UpstreamAnswer(matched);
        }
        if (data.empty()) return;
        break;
      }
    }
  }
}

}  // namespace connguard
