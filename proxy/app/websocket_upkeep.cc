// A client's WebSocket: flow control, liveness, and the record of what happened.
#include <array>
#include <utility>

#include "app/websocket_session.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

namespace {

// Our own pings say so; pongs are not passed on whatever they carry.
constexpr std::array<std::uint8_t, 9> kPingPayload{'c', 'o', 'n', 'n', 'g', 'u', 'a', 'r', 'd'};

// 0: no Close was sent; 1005: one without a status.
unsigned CodeForLog(CloseCode code) {
  return code == CloseCode::kAbnormal ? 0 : static_cast<unsigned>(code);
}

}  // namespace

void WebSocketSession::OnProgress(Conn& conn) noexcept {
  if (&conn == client_.conn.get()) {
    BalanceClient();
  } else {
    BalanceUpstream();
  }
  Settle();
}

void WebSocketSession::BalanceClient() {
  if (!client_ || upstream_ == nullptr) return;
  const Bytes high = worker_.config().limits.buffer;
  const Bytes queued = client_.conn->queued();
  if (!upstream_->paused() && queued > high) {
    const TimePoint now = worker_.now();
    upstream_->Pause();
    tunnel_->UpstreamPaused(now);
    if (upstream_heartbeat_) upstream_heartbeat_->Freeze(now);
    slow_deadline_ = now + worker_.config().limits.slow_client_timeout;
  } else if (queued <= high / 2) {
    ResumeUpstream();
  }
}

void WebSocketSession::ResumeUpstream() {
  slow_deadline_ = kNever;
  if (upstream_ == nullptr || !upstream_->paused()) return;
  upstream_->Resume();
  tunnel_->UpstreamResumed(worker_.now());
  if (upstream_heartbeat_) upstream_heartbeat_->Thaw(worker_.now());
}

void WebSocketSession::BalanceUpstream() {
  if (!client_ || !from_client_) return;
  const Bytes high = worker_.config().limits.buffer;
  const Bytes queued = (upstream_ != nullptr ? upstream_->queued() : 0) + from_client_->held();
  if (!client_.conn->paused() && queued > high) {
    client_.conn->Pause();
    client_heartbeat_->Freeze(worker_.now());
  } else if (client_.conn->paused() && queued <= high / 2) {
    client_.conn->Resume();
    client_heartbeat_->Thaw(worker_.now());
  }
}

void WebSocketSession::TickHeartbeats() {
  const TimePoint now = worker_.now();
  if (client_heartbeat_) {
    client_heartbeat_->Tick(now);
    while (client_heartbeat_) {
      const auto effect = client_heartbeat_->PollEffect();
      if (!effect) break;
      if (*effect == HeartbeatEffect::kPing) {
        ControlToClient(MakeControl(Opcode::kPing, kPingPayload, false));
      } else {
        worker_.metrics().heartbeat_timeouts[Side::kClient].Add();
        LoseClient(CloseCause::kClientTimeout);
      }
    }
  }
  if (!upstream_heartbeat_ || upstream_ == nullptr) return;
  upstream_heartbeat_->Tick(now);
  while (const auto effect = upstream_heartbeat_->PollEffect()) {
    if (*effect == HeartbeatEffect::kPing) {
      ControlToUpstream(MakeControl(Opcode::kPing, kPingPayload, true));
    } else if (tunnel_->turn().idle()) {
      worker_.metrics().heartbeat_timeouts[Side::kUpstream].Add();
      upstream_->Reset();
      upstream_.reset();
      phase_ = UpstreamPhase::kNone;
      tunnel_->UpstreamGone(CloseCause::kUpstreamTimeout, now);
      return;
    } else {
      // A backend that works on an answer may be late with its pong: it is never killed for that.
      upstream_heartbeat_.emplace(route_.upstream_heartbeat, now);
    }
  }
}

// --- the record

RouteMetrics& WebSocketSession::metrics() {
  return worker_.metrics().route(
      static_cast<std::size_t>(&route_ - worker_.config().routes.data()));
}

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
  if (phase == shown_) return;
  const TimePoint now = worker_.now();
  if (shown_) metrics().tunnels[*shown_].Sub();
  if (phase) metrics().tunnels[*phase].Add();
  if (phase == TunnelPhase::kShielded) shield_began_ = now;
  if (shown_ == TunnelPhase::kShielded && shield_began_ != kNever) {
    shielded_ = std::chrono::duration_cast<Millis>(now - shield_began_);
    metrics().shield.Observe(now - shield_began_);
    shield_began_ = kNever;
  }
  shown_ = phase;
}

void WebSocketSession::CountTurns() {
  const std::uint32_t left = tunnel_->turn().in_flight();
  if (tunnel_->overdue()) {
    metrics().turns[TurnOutcome::kOverdue].Add();
  } else if (left > 0) {
    metrics().turns[TurnOutcome::kAborted].Add(left);
  }
}

void WebSocketSession::LogClosed() {
  CountTurns();
  const CloseCauseRow& row = Describe(tunnel_->cause());
  metrics().closes[tunnel_->cause()].Add();
  const auto since = [this](TimePoint then) {
    return std::chrono::duration_cast<Millis>(worker_.now() - then);
  };
  Log(LogLevel::kInfo, "tunnel_closed",
      {{"conn", std::to_string(worker_.index()) + ":" + std::to_string(id())},
       {"route", route_.name},
       {"key", fence_.log_key()},
       {"epoch", static_cast<std::uint64_t>(epoch_)},
       {"cause", row.word},
       {"by", row.by},
       {"open_ms", since(granted_)},
       {"fence_wait_ms", std::chrono::duration_cast<Millis>(granted_ - started_)},
       {"shield_ms", shielded_},
       {"bytes_up", bytes_up_},
       {"bytes_down", bytes_down_},
       {"close_up", CodeForLog(sent_up_)},
       {"close_down", CodeForLog(sent_down_)},
       {"detail", detail_}});
}

}  // namespace connguard
