// A client's WebSocket: the record of what happens to it, for figures, log and operators.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "app/websocket_session.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

namespace {

// 0: no Close was sent; 1005: one without a status.
unsigned CodeForLog(CloseCode code) {
  return code == CloseCode::kAbnormal ? 0 : static_cast<unsigned>(code);
}

const char* WordOf(Tunnel::State state) {
  switch (state) {
    case Tunnel::State::kDialing:
      return "dialing";
    case Tunnel::State::kOrphaned:
      return "orphaned";
    case Tunnel::State::kOpen:
      return "open";
    case Tunnel::State::kShielded:
      return "shielded";
    case Tunnel::State::kLingering:
      return "lingering";
    case Tunnel::State::kClosing:
      return "closing";
    case Tunnel::State::kSettling:
      return "settling";
    case Tunnel::State::kBarrier:
      return "barrier";
    case Tunnel::State::kOver:
      return "over";
  }
  return "";
}

// Ends that nobody has to look into.
bool IsOrdinary(CloseCause cause) {
  return cause == CloseCause::kClientClosed || cause == CloseCause::kUpstreamClosed ||
         cause == CloseCause::kSuperseded || cause == CloseCause::kShutdown ||
         cause == CloseCause::kOperator;
}

}  // namespace

void WebSocketSession::ShowPhase() {
  std::optional<TunnelPhase> phase;
  switch (tunnel_->state()) {
    case Tunnel::State::kDialing:
    case Tunnel::State::kOrphaned:
      phase = TunnelPhase::kDialing;
      break;
    case Tunnel::State::kOpen:
      phase = TunnelPhase::kOpen;
      break;
    case Tunnel::State::kShielded:
    case Tunnel::State::kLingering:
      phase = TunnelPhase::kShielded;
      break;
    case Tunnel::State::kClosing:
    case Tunnel::State::kSettling:
    case Tunnel::State::kBarrier:
      phase = TunnelPhase::kClosing;
      break;
    case Tunnel::State::kOver:
      break;
  }
  const TimePoint now = worker_.now();
  if (!phase || phase == TunnelPhase::kClosing) turn_times_.Abort(now, metrics());
  if (phase == shown_) return;
  if (shown_) metrics().tunnels[*shown_].Sub();
  if (phase) metrics().tunnels[*phase].Add();
  if (phase == TunnelPhase::kShielded) shield_began_ = now;
  if (shown_ == TunnelPhase::kShielded && shield_began_ != kNever) {
    shielded_ = std::chrono::duration_cast<ShortMillis>(now - shield_began_);
    metrics().shield.Observe(now - shield_began_);
    shield_began_ = kNever;
  }
  shown_ = phase;
}

void WebSocketSession::LogClosed() {
  logged_ = true;
  turn_times_.Abort(worker_.now(), metrics());
  if (stall_began_ != kNever) EndStall();
  const CloseCauseRow& row = connguard::Describe(tunnel_->cause());
  const CloseCode code = sent_down_ != CloseCode::kAbnormal ? sent_down_ : client_close_;
  metrics().closes[tunnel_->cause()][CodeClassOf(code)].Add();
  if (!LogEnabled(LogLevel::kInfo)) return;
  const auto since = [this](TimePoint then) {
    return std::chrono::duration_cast<Millis>(worker_.now() - then);
  };
  const std::string conn = name();
  const std::string key(fence_.log_key());
  const std::string trace = trace_.value();
  std::vector<LogField> fields{
      {"conn", conn},
      {"route", route_.name},
      {"key", key},
      {"trace", trace},
      {"epoch", static_cast<std::uint64_t>(epoch_)},
      {"cause", row.word},
      {"by", row.by},
      {"open_ms", since(granted_)},
      {"fence_wait_ms", std::chrono::duration_cast<Millis>(granted_ - started_)},
      {"shield_ms", Millis(shielded_)},
      {"bytes_up", bytes_up_},
      {"bytes_down", bytes_down_},
      {"close_up", CodeForLog(sent_up_)},
      {"close_down", CodeForLog(sent_down_)},
      {"detail", detail().empty() && last_words_ != nullptr ? last_words_->tls_error : detail()}};
  if (!target_.empty()) fields.push_back({"target", target_});
  Log(LogLevel::kInfo, "tunnel_closed", fields);
  if (!IsOrdinary(row.cause) && LogEnabled(LogLevel::kDebug)) {
    Log(LogLevel::kDebug, "flight_recorder",
        {{"conn", name()}, {"entries", recorder_.ToLine(worker_.now())}});
  }
}

WebSocketSession::LastWords& WebSocketSession::last_words() {
  if (last_words_ == nullptr) last_words_ = std::make_unique<LastWords>();
  return *last_words_;
}

std::string_view WebSocketSession::detail() const {
  return last_words_ != nullptr ? last_words_->detail : std::string_view();
}

std::span<const std::uint8_t> WebSocketSession::close_reason() const {
  return last_words_ != nullptr ? last_words_->close_reason : std::span<const std::uint8_t>();
}

// --- for operators

const char* WebSocketSession::StateWord() const {
  return tunnel_ ? WordOf(tunnel_->state()) : "waiting";
}

void WebSocketSession::NoteState() {
  const char* const before = std::exchange(told_state_, StateWord());
  if (tunnel_) ShowPhase();
  LogState(before != nullptr ? before : "new", told_state_);
  state_since_ = worker_.now();
  recorder_.At(state_since_);
  recorder_.State(told_state_);
  using Kind = AdminEvent::Kind;
  const Tunnel::State state = tunnel_ ? tunnel_->state() : Tunnel::State::kDialing;
  if (state == Tunnel::State::kOver) return;  // Close() tells that
  Tell(state == Tunnel::State::kShielded ? Kind::kShielded
       : state == Tunnel::State::kOpen   ? Kind::kOpened
                                         : Kind::kState);
}

// We send one without a read that would have told the recorder the time.
void WebSocketSession::NoteCloseTo(Side side, CloseCode code) {
  recorder_.At(worker_.now());
  recorder_.CloseTo(side, code);
}

void WebSocketSession::Tell(AdminEvent::Kind kind) {
  EventFeed& feed = worker_.feed();
  if (!feed.wanted()) return;
  AdminEvent event = EventNow(kind);
  event.session = *Describe(false);
  feed.Publish(std::move(event));
}

LegInfo WebSocketSession::DescribeClient() const {
  LegInfo leg{.state = "gone", .rtt = rtt_[0]};
  if (!client_) return leg;
  leg.state = waiting_         ? "waiting"
              : !from_client_  ? "handshake"
              : client_ending_ ? "closing"
                               : "open";
  return leg;
}

LegInfo WebSocketSession::DescribeUpstream() const {
  LegInfo leg{.state = tunnel_ ? "gone" : "none", .rtt = rtt_[1]};
  if (upstream_ == nullptr) return leg;
  leg.state = dial_deadline() != kNever          ? "connecting"
              : phase_ != UpstreamPhase::kFrames ? "handshake"
              : close_sent_                      ? "closing"
                                                 : "open";
  return leg;
}

std::optional<SessionInfo> WebSocketSession::Describe(bool with_recorder) const {
  const TimePoint now = worker_.now();
  const auto since = [now](TimePoint then) {
    return std::chrono::duration_cast<Millis>(now - then);
  };
  SessionInfo info;
  info.id = name();
  info.route = route_.name;
  info.upstream = generation_->UpstreamOf(route_).name;
  info.key = fence_.client_key();
  info.epoch = static_cast<std::uint64_t>(epoch_);
  info.address = address_;
  info.client = DescribeClient();
  info.upstream_leg = DescribeUpstream();
  info.state = StateWord();
  info.turns_in_flight = tunnel_ ? tunnel_->turn().in_flight() : 0;
  info.age = since(started_);
  info.state_age = since(state_since_);
  info.fence_wait = since(started_);
  if (tunnel_) info.fence_wait -= since(granted_);
  info.shielded = shield_began_ != kNever ? since(shield_began_) : Millis(shielded_);
  info.bytes_up = bytes_up_;
  info.bytes_down = bytes_down_;
  if (from_client_) info.messages_up = from_client_->messages();
  if (from_upstream_) info.messages_down = from_upstream_->messages();
  info.buffered = buffered();
  info.trace_id = trace_.value();
  if (tunnel_ && (tunnel_->client_gone() || tunnel_->state() > Tunnel::State::kOpen)) {
    info.cause = connguard::Describe(tunnel_->cause()).word;
  }
  if (with_recorder) info.recorder = recorder_.Entries(now);
  return info;
}

}  // namespace connguard
