// A client's WebSocket: flow control and liveness.
#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "app/websocket_session.h"
#include "app/worker.h"
#include "net/delivery.h"

namespace connguard {

namespace {

// Our own pings carry this word and their number. A pong with both is ours and goes no further.
constexpr std::string_view kPingWord = "connguard";
using PingPayload = std::array<std::uint8_t, kPingWord.size() + sizeof(std::uint32_t)>;

PingPayload PayloadOf(std::uint32_t number) {
  PingPayload payload{};
  std::ranges::copy(kPingWord, payload.begin());
  std::memcpy(payload.data() + kPingWord.size(), &number, sizeof(number));
  return payload;
}

std::optional<std::uint32_t> NumberOf(std::span<const std::uint8_t> payload) {
  if (payload.size() != PingPayload{}.size() ||
      !std::ranges::equal(payload.first(kPingWord.size()), AsBytes(kPingWord))) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  std::memcpy(&number, payload.data() + kPingWord.size(), sizeof(number));
  return number;
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
  const Bytes high = config().limits.buffer;
  const Bytes queued = client_.conn->queued();
  if (!upstream_->paused() && queued > high) {
    const TimePoint now = worker_.now();
    upstream_->Pause();
    tunnel_->UpstreamPaused(now);
    if (upstream_heartbeat_) upstream_heartbeat_->Freeze(now);
    slow_deadline_ = now + config().limits.slow_client_timeout;
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
  const Bytes high = config().limits.buffer;
  const Bytes queued = (upstream_ != nullptr ? upstream_->queued() : 0) + from_client_->held();
  if (!client_.conn->paused() && queued > high) {
    client_.conn->Pause();
    client_heartbeat_->Freeze(worker_.now());
  } else if (client_.conn->paused() && queued <= high / 2) {
    client_.conn->Resume();
    client_heartbeat_->Thaw(worker_.now());
  }
}

Bytes WebSocketSession::buffered() const {
  return held_.value() + (client_ ? client_.conn->queued() : 0) +
         (upstream_ != nullptr ? upstream_->queued() : 0);
}

// Both legs from the 101 on: our pings, and what the kernel can do with what it has not got rid of.
void WebSocketSession::BeginHeartbeats() {
  const TimePoint now = worker_.now();
  const auto spread = static_cast<std::uint32_t>(id());
  upstream_heartbeat_.emplace(route_.upstream_heartbeat, now, spread);
  WatchUpstream(*upstream_, route_, Silence::kPinged);
  if (!client_) return;
  client_heartbeat_.emplace(route_.client_heartbeat, now, spread);
  WatchClient(client_, route_, Silence::kPinged);
}

void WebSocketSession::TickHeartbeats() {
  if (client_heartbeat_) {
    client_heartbeat_->Tick(worker_.now());
    while (client_heartbeat_) {
      const auto effect = client_heartbeat_->PollEffect();
      if (!effect) break;
      if (*effect == HeartbeatEffect::kPing) {
        const PingPayload payload = PayloadOf(client_heartbeat_->ping());
        acknowledged_ = DeliveryOf(client_.conn->fd()).acknowledged;
        ControlToClient(MakeControl(Opcode::kPing, payload, false));
      } else if (ClientStillReads()) {
        client_heartbeat_->Excuse(worker_.now());
      } else {
        worker_.metrics().heartbeat_timeouts[Side::kClient].Add();
        LoseClient(CloseCause::kClientTimeout);
      }
    }
  }
  if (upstream_heartbeat_ && upstream_ != nullptr) TickUpstreamHeartbeat();
}

void WebSocketSession::TickUpstreamHeartbeat() {
  const TimePoint now = worker_.now();
  upstream_heartbeat_->Tick(now);
  while (const auto effect = upstream_heartbeat_->PollEffect()) {
    if (*effect == HeartbeatEffect::kPing) {
      const PingPayload payload = PayloadOf(upstream_heartbeat_->ping());
      ControlToUpstream(MakeControl(Opcode::kPing, payload, true));
    } else if (tunnel_->turn().idle() || DeliveryOf(upstream_->fd()).silent) {
      worker_.metrics().heartbeat_timeouts[Side::kUpstream].Add();
      upstream_->Reset();
      upstream_.reset();
      phase_ = UpstreamPhase::kNone;
      tunnel_->UpstreamGone(CloseCause::kUpstreamTimeout, now);
      return;
    } else {
      // A backend that works on an answer may be late with its pong: it is never killed for that.
      if (stall_began_ == kNever) stall_began_ = now;
      upstream_heartbeat_->Excuse(now);
    }
  }
}

// Our ping waits behind all that the client has not read yet: as long as it reads, it lives.
bool WebSocketSession::ClientStillReads() const {
  const Delivery delivery = DeliveryOf(client_.conn->fd());
  return delivery.outstanding > 0 && delivery.acknowledged > acknowledged_;
}

bool WebSocketSession::IsOwnPong(Side side, std::span<const std::uint8_t> payload) {
  const std::optional<std::uint32_t> number = NumberOf(payload);
  std::optional<Heartbeat>& heartbeat =
      side == Side::kClient ? client_heartbeat_ : upstream_heartbeat_;
  if (!number || !heartbeat) return false;
  if (const auto time = heartbeat->Answered(*number, worker_.now())) {
    worker_.metrics().ping_rtt[side].Observe(*time);
    rtt_.at(static_cast<std::size_t>(side)) = std::chrono::duration_cast<ShortMicros>(*time);
  }
  return true;
}

void WebSocketSession::EndStall() {
  metrics().upstream_stall.Observe(worker_.now() - stall_began_);
  stall_began_ = kNever;
}

}  // namespace connguard
