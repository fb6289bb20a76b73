// WebSocketSession: one client's WebSocket and the upstream session behind it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/event_feed.h"
#include "admin/metrics.h"
#include "app/barrier.h"
#include "app/client.h"
#include "app/client_stream.h"
#include "app/fences.h"
#include "app/flight_recorder.h"
#include "app/session.h"
#include "app/turn_times.h"
#include "app/upstream_dial.h"
#include "app/upstream_stream.h"
#include "config/route_match.h"
#include "connguard/heartbeat.h"
#include "connguard/tunnel.h"
#include "http/extensions.h"
#include "http/message.h"
#include "net/timing_wheel.h"

namespace connguard {

// Waits for the fence, dials, holds the client's handshake until the upstream has answered, relays,
// and – when the client has gone – stays until the upstream is really over. It drives the machines
// of the core and does what their effects say.
//
// websocket_session.cc: up to the upstream's answer; effects and timers. websocket_relay.cc: from
// there on. websocket_upkeep.cc: flow control, liveness. websocket_record.cc: figures, log, what
// operators see. websocket_orders.cc: ends that come from outside. websocket_log.cc: the log while
// it lives.
class WebSocketSession : public Session, private ClientStreamSink, private UpstreamStreamSink {
 public:
  // `matched` is of `generation`; `early`: what the client sent behind its request.
  WebSocketSession(Worker& worker, std::shared_ptr<const Generation> generation, Client client,
                   const Matched& matched, const RequestHead& head,
                   std::span<const std::uint8_t> early);

  void Start() noexcept override;
  bool OnFence(const FenceEffect& effect) noexcept override;
  void OnDrain(TimePoint at) noexcept override;
  void OnCut() noexcept override;
  void OnOperator(OnShield shield) noexcept override;
  std::optional<SessionInfo> Describe(bool with_recorder) const override;
  Bytes buffered() const override;
  void OnPressure() noexcept override;
  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  // In 32 bits, as there are many sessions that wait: 24 days, 71 minutes.
  using ShortMillis = std::chrono::duration<std::int32_t, std::milli>;
  using ShortMicros = std::chrono::duration<std::uint32_t, std::micro>;

  enum class UpstreamPhase : std::uint8_t {
    kNone,       // not dialled, or gone
    kHandshake,  // connecting, or waiting for the head of its answer
    kRefusal,    // its answer is not 101; the body goes to the client
    kFrames,
  };
  // What is needed until the upstream has answered. An idle tunnel is small because this is gone.
  struct Opening {
    std::string request;  // as it goes to the upstream
    std::string key;      // its Sec-WebSocket-Key
    bool deflate_offered;
    std::vector<std::uint8_t> early;  // the client's bytes from before the upstream's 101
    UpstreamDial dial;
    TimePoint wait_deadline = kNever;  // for the fence
    std::optional<ResponseReader> answer;
  };
  // What an end has to say: seldom there before one.
  struct LastWords {
    std::vector<std::uint8_t> close_reason;  // of the client's or the upstream's Close frame
    std::string detail;                      // of a violation, for the log
    std::string tls_error;                   // that ended a leg, for the log only
  };
  // Frames of ours that wait for a frame boundary.
  struct WaitingControls {
    std::vector<ControlFrame> to_client;
    std::vector<ControlFrame> to_upstream;
  };
  // What is still to come of a client that is being seen off.
  enum class Awaited : std::uint8_t {
    kClose,    // its Close frame
    kFin,      // only its end counts; whatever it sends until then is dropped
    kNothing,  // it has sent its Close, and nothing behind it
  };
  // How the client's leg is to end as soon as a frame boundary allows it.
  struct ClientEnding {
    CloseCode code;  // of the Close frame; kAbnormal: none is sent
    ControlFrame last_words;
    Awaited awaited;
    TimePoint deadline;
  };

  // Up to the upstream's answer.
  void Dial();
  void DialNext();
  // kNever, too, where nothing is dialled.
  TimePoint dial_deadline() const {
    return opening_ != nullptr ? opening_->dial.deadline() : kNever;
  }
  void ReadAnswer(std::span<const std::uint8_t> data);
  void TakeAnswer(const ResponseHead& head, std::span<const std::uint8_t> rest);
  void BeginRelay(const ResponseHead& head, const std::optional<DeflateParameters>& deflate,
                  std::span<const std::uint8_t> rest);
  void FinishRefusal();
  void RefuseClient(int status, std::string_view why, HandshakeResult result, int retry_after = 0);
  void RefuseFor(CloseCause cause);
  void Abandon(HandshakeResult result);

  // Machines and timers.
  void Settle();  // drains effects, re-arms the timer, ends the session when nothing is left
  void Perform(const TunnelEffect& effect);
  void Tick();
  void BeginHeartbeats();
  void TickHeartbeats();
  void TickUpstreamHeartbeat();
  bool ClientStillReads() const;
  bool IsOwnPong(Side side, std::span<const std::uint8_t> payload);
  void EndStall();
  TimePoint NextTimeout() const;
  void Close();
  LastWords& last_words();
  WaitingControls& controls();
  std::string_view detail() const;
  std::span<const std::uint8_t> close_reason() const;

  // The relay.
  bool MayBegin() noexcept override;
  void MessageBegun() noexcept override;
  void ToUpstream(std::span<const std::uint8_t> frames) noexcept override;
  bool ClientControl(Opcode opcode, std::span<const std::uint8_t> payload, const MaskKey& key,
                     bool last) noexcept override;
  void ClientViolation(CloseCause cause, std::string_view why) noexcept override;
  void ToClient(std::span<const std::uint8_t> frames) noexcept override;
  void AtBoundary() noexcept override;
  void UpstreamAnswer(bool matched) noexcept override;
  bool UpstreamControl(Opcode opcode, std::span<const std::uint8_t> payload) noexcept override;
  void UpstreamViolation(CloseCause cause, std::string_view why) noexcept override;
  void FeedClient(std::span<const std::uint8_t> data);
  void FeedUpstream(std::span<const std::uint8_t> data);
  void ControlToClient(const ControlFrame& frame);
  void ControlToUpstream(const ControlFrame& frame);
  void FlushToUpstream();
  void ReleaseHeld();
  CloseCode CodeToClient(CloseCause cause) const;
  void EndClient(CloseCause cause);
  void EndAtBoundary();
  void EndClientLeg(CloseCode code, std::span<const std::uint8_t> reason, Awaited awaited);
  void SeeClientOff();
  void DropClient(CloseCause cause, CloseCode code);
  void LoseClient(CloseCause cause);
  void CloseUpstream(CloseCode code);
  void ReplyUpstream();
  void LoseUpstream(const Conn& conn, ConnEnd end);
  void BalanceClient();
  void ResumeUpstream();
  void BalanceUpstream();

  // The record.
  RouteMetrics& metrics() { return generation_->MetricsOf(route_); }
  void ShowPhase();
  void LogClosed();
  void LogOpened() const;
  void LogState(std::string_view from, std::string_view to) const;
  const char* StateWord() const;
  void NoteState();
  void NoteCloseTo(Side side, CloseCode code);
  void Tell(AdminEvent::Kind kind);
  LegInfo DescribeClient() const;
  LegInfo DescribeUpstream() const;

  // What a relayed message touches comes first and lies together: Transport has it fetched while
  // the kernel reads. The rest is of a tunnel's beginning and end.
  const RouteConfig& route_;
  ClientLeg client_;
  std::unique_ptr<Conn> upstream_;
  UpstreamPhase phase_ = UpstreamPhase::kNone;
  bool waiting_ = false;     // for the fence
  bool close_sent_ = false;  // to the upstream
  bool probing_ = false;     // the fence wants to know whether the client lives
  bool released_ = false;    // the tunnel is over
  bool refusing_ = false;    // the client is being given the upstream's refusal
  bool logged_ = false;
  bool closed_ = false;
  const char* told_state_ = nullptr;  // a StateWord; nothing yet
  std::optional<TunnelPhase> shown_;  // in the gauge
  ShortMillis shielded_{0};
  std::unique_ptr<Opening> opening_;  // until the 101
  std::unique_ptr<ClientEnding> client_ending_;
  std::unique_ptr<WaitingControls> controls_;  // seldom there
  Bytes bytes_up_ = 0;
  Bytes bytes_down_ = 0;
  HeldBytes held_;
  TimePoint drain_at_ = kNever;       // from then on the next end of a turn is the client's
  TimePoint slow_deadline_ = kNever;  // the upstream is not being read because of the client
  TimePoint stall_began_ = kNever;    // a busy upstream is late with its pong since
  Timer timer_;
  FlightRecorder recorder_;
  std::optional<Heartbeat> client_heartbeat_;
  std::optional<ClientStream> from_client_;  // from the 101 on
  std::optional<Heartbeat> upstream_heartbeat_;
  std::optional<UpstreamStream> from_upstream_;
  std::optional<Tunnel> tunnel_;  // from the grant on
  TurnTimes turn_times_;

  std::string address_;  // the client's, for the key and the log
  std::string target_;   // TargetForLog
  TraceId trace_;
  FenceClient fence_;
  Epoch epoch_ = Epoch::kNone;
  std::unique_ptr<Barrier> barrier_;
  std::unique_ptr<LastWords> last_words_;
  CloseCode client_close_ = CloseCode::kAbnormal;    // of the client's Close frame
  CloseCode upstream_close_ = CloseCode::kAbnormal;  // of the upstream's Close frame
  CloseCode sent_up_ = CloseCode::kAbnormal;         // Close to the upstream; kAbnormal: none
  CloseCode sent_down_ = CloseCode::kAbnormal;       // to the client
  TimePoint started_;
  TimePoint granted_;
  TimePoint shield_began_ = kNever;
  TimePoint state_since_;
  std::uint64_t acknowledged_ = 0;  // by the client's system, when it was pinged last
  std::array<std::optional<ShortMicros>, kSideWords.size()> rtt_;
};

}  // namespace connguard
