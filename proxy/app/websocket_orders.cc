// A client's WebSocket: ends that come from outside of its tunnel.
#include "app/refusal.h"
#include "app/websocket_session.h"
#include "app/worker.h"

namespace connguard {

void WebSocketSession::OnDrain(TimePoint at) noexcept {
  if (waiting_) {
    fence_.Abandon();
    waiting_ = false;
    RefuseClient(503, kWhyStopping, HandshakeResult::kShutdown, kRetryAfterSeconds);
  } else if (tunnel_ && client_) {
    drain_at_ = from_client_ ? at : worker_.now();
  }
  Settle();
}

void WebSocketSession::OnCut() noexcept {
  if (!tunnel_ || closed_) return;
  if (client_) {
    EndClient(CloseCause::kShutdown);
    DropClient(CloseCause::kShutdown, CloseCode::kAbnormal);
  }
  using enum Tunnel::State;
  const Tunnel::State state = tunnel_->state();
  if (state == kShielded || state == kLingering) {
    tunnel_->UpstreamFault(CloseCause::kShutdown, worker_.now());
  }
  Settle();
  if (!closed_) LogClosed();
}

// A drain ends the client between two turns, when all that it has asked is answered.
void WebSocketSession::EndAtBoundary() {
  if (worker_.now() < drain_at_ || !client_ || client_ending_ || !tunnel_) return;
  const bool busy =
      refusing_ || (from_client_ && (!tunnel_->turn().idle() || from_client_->held() > 0));
  if (busy) return;
  drain_at_ = kNever;
  EndClient(CloseCause::kShutdown);
  DropClient(CloseCause::kShutdown, CloseCode::kAbnormal);
}

void WebSocketSession::OnOperator(OnShield shield) noexcept {
  const TimePoint now = worker_.now();
  recorder_.At(now);
  if (waiting_) {
    recorder_.Note("ended by the operator");
    fence_.Abandon();
    waiting_ = false;
    RefuseClient(503, kWhyOperator, HandshakeResult::kOperator);
  } else if (client_ && !tunnel_->client_gone()) {
    recorder_.Note("ended by the operator");
    if (detail().empty()) last_words().detail = kWhyOperator;  // the Close's reason, too
    EndClient(CloseCause::kOperator);
    DropClient(CloseCause::kOperator, CloseCode::kAbnormal);
  }
  // Only then: a linger or a closing handshake ends by itself, and soon.
  if (shield == OnShield::kEnd && tunnel_ && tunnel_->state() == Tunnel::State::kShielded) {
    recorder_.Note("shield ended by the operator");
    tunnel_->UpstreamFault(CloseCause::kOperator, now);
  }
  Settle();
}

void WebSocketSession::OnPressure() noexcept {
  if (!client_) return;
  LoseClient(CloseCause::kEvicted);
  Settle();
}

}  // namespace connguard
