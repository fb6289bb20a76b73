// UpstreamStream: what an upstream sends over its WebSocket, on its way to the client.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "app/flight_recorder.h"
#include "app/frame_run.h"
#include "connguard/close_cause.h"
#include "connguard/config.h"
#include "ws/frame_scanner.h"
#include "ws/message_inspector.h"

namespace connguard {

// What an UpstreamStream asks of its session, in the order of the bytes.
class UpstreamStreamSink {
 public:
  virtual void ToClient(std::span<const std::uint8_t> frames) noexcept = 0;
  // Everything up to a frame's end was passed on, and StopAtBoundary was asked for.
  virtual void AtBoundary() noexcept = 0;
  // A whole message has been seen; `matched`: it ends a turn by the profile's matcher.
  virtual void UpstreamAnswer(bool matched) noexcept = 0;
  // A whole control frame. False: nothing more is wanted of this read.
  virtual bool UpstreamControl(Opcode opcode, std::span<const std::uint8_t> payload) noexcept = 0;
  // The upstream broke a rule. Nothing more comes.
  virtual void UpstreamViolation(CloseCause cause, std::string_view why) noexcept = 0;

 protected:
  ~UpstreamStreamSink() = default;
};

// Passes frames on as they are and shows the profile's matcher what it must read. A message that
// cannot be inflated is reported at the end of its frame: until then there is no room for a Close.
class UpstreamStream {
 public:
  // `inflate`: for messages that the matcher reads and that come compressed.
  UpstreamStream(const ScanPolicy& policy, const TurnProfile& profile, JsonInspector& inspector,
                 UpstreamStreamSink& sink, const InflatePolicy& inflate = {});

  // The headers of data frames are noted there from now on.
  void RecordIn(FlightRecorder& recorder) { recorder_ = &recorder; }

  void Feed(std::span<const std::uint8_t> data);

  // Asks for one call of AtBoundary.
  void StopAtBoundary() { stop_at_boundary_ = true; }

  // A frame of our own may go to the client now.
  bool at_frame_boundary() const { return scanner_.at_frame_boundary(); }
  // All bytes that are kept here.
  Bytes buffered() const { return assembler_ != nullptr ? assembler_->buffered() : 0; }
  // Whole messages seen.
  std::uint64_t messages() const { return messages_; }

 private:
  bool Matches(const Piece& piece);
  void ReportUnreadable();

  FrameScanner scanner_;
  const TurnProfile& profile_;
  JsonInspector& inspector_;
  UpstreamStreamSink& sink_;
  FlightRecorder* recorder_ = nullptr;
  std::unique_ptr<MessageAssembler> assembler_;  // where the matcher reads
  bool stop_at_boundary_ = false;
  bool unreadable_ = false;  // a message could not be inflated: its successors are not passed on
  std::uint64_t messages_ = 0;
};

}  // namespace connguard
