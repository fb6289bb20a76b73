// ClientStream: what a client sends over its WebSocket, on its way to the upstream.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "app/flight_recorder.h"
#include "app/frame_run.h"
#include "connguard/close_cause.h"
#include "connguard/config.h"
#include "ws/frame_scanner.h"
#include "ws/message_inspector.h"

namespace connguard {

// What a ClientStream asks of its session, in the order of the bytes.
class ClientStreamSink {
 public:
  // May one more message begin (turn.window)?
  virtual bool MayBegin() noexcept = 0;
  // A message begins: its bytes follow by ToUpstream.
  virtual void MessageBegun() noexcept = 0;
  virtual void ToUpstream(std::span<const std::uint8_t> frames) noexcept = 0;
  // A whole control frame, and the key that it came with; `last`: this read has nothing behind it.
  // False: nothing more is wanted of this read.
  virtual bool ClientControl(Opcode opcode, std::span<const std::uint8_t> payload,
                             const MaskKey& key, bool last) noexcept = 0;
  // The client broke a rule. Nothing more comes.
  virtual void ClientViolation(CloseCause cause, std::string_view why) noexcept = 0;

 protected:
  ~ClientStreamSink() = default;
};

// Passes frames on as they are. Messages beyond the turn window wait here; messages that the
// profile wants to judge (accept) are passed on whole, after the verdict.
class ClientStream {
 public:
  // `inflate`: for messages that the profile wants to judge and that come compressed.
  ClientStream(const ScanPolicy& policy, const TurnProfile& profile, JsonInspector& inspector,
               ClientStreamSink& sink, const InflatePolicy& inflate = {});

  // The headers of data frames are noted there from now on.
  void RecordIn(FlightRecorder& recorder) { recorder_ = &recorder; }

  void Feed(std::span<const std::uint8_t> data);
  // The window has opened: passes on what waits, as far as it goes.
  void Release();

  // A frame of our own may go to the upstream now.
  bool at_frame_boundary() const;
  // Part of a message has been passed on, and its rest not yet.
  bool in_message() const { return passing_ && !scanner_.at_message_boundary(); }
  // Bytes that wait for the window. (One message being judged is bounded by limits.message_size, as
  // it came and inflated.)
  Bytes held() const { return held_ != nullptr ? held_->frames.size() : 0; }
  // All bytes that are kept here.
  Bytes buffered() const {
    return held() + (judge_ != nullptr ? judge_->frames.size() + judge_->message.buffered() : 0);
  }
  // Whole messages seen.
  std::uint64_t messages() const { return messages_; }

  FrameScanner TakeScanner() { return std::move(scanner_); }

 private:
  // Messages that wait for the window.
  struct Held {
    std::vector<std::uint8_t> frames;
    std::size_t whole = 0;         // bytes of the whole messages among them
    std::deque<std::size_t> ends;  // their sizes, in order
  };

  // The message that is being judged.
  struct Judge {
    MessageAssembler message;
    std::vector<std::uint8_t> frames;  // of it, as they came
  };

  bool JudgePiece(const Piece& piece);
  void ReportUnreadable();
  void Hold(std::span<const std::uint8_t> raw, bool ends_message);

  FrameScanner scanner_;
  JsonInspector& inspector_;
  ClientStreamSink& sink_;
  FlightRecorder* recorder_ = nullptr;
  std::unique_ptr<Judge> judge_;  // where the profile wants one
  std::unique_ptr<Held> held_;    // seldom there
  bool passing_ = false;          // the current message is being passed on, not held
  std::uint64_t messages_ = 0;
};

}  // namespace connguard
