// A client's WebSocket from the upstream's 101 on: frames, drops, closing handshakes.
#include <algorithm>
#include <utility>

#include "app/farewell.h"
#include "app/websocket_session.h"
#include "app/worker.h"

namespace connguard {

namespace {

// Control frames that may wait for a frame boundary. A peer that pings faster gets the last pongs
// only.
constexpr std::size_t kWaitingControls = 4;

void Queue(std::vector<ControlFrame>& waiting, const ControlFrame& frame) {
  if (waiting.size() == kWaitingControls) waiting.erase(waiting.begin());
  waiting.push_back(frame);
}

}  // namespace

void WebSocketSession::BeginRelay(const ResponseHead& head,
                                  const std::optional<DeflateParameters>& deflate,
                                  std::span<const std::uint8_t> rest) {
  const TimePoint now = worker_.now();
  phase_ = UpstreamPhase::kFrames;
  ScanPolicy policy;
  policy.message_size = config().limits.message_size;
  policy.compressed = deflate.has_value();
  const DeflateParameters parameters = deflate.value_or(DeflateParameters{});
  from_upstream_.emplace(
      policy, route_.turn, worker_.inspector(), static_cast<UpstreamStreamSink&>(*this),
      InflatePolicy{parameters.server_max_window_bits, !parameters.server_no_context_takeover});
  policy.masked = true;
  from_client_.emplace(
      policy, route_.turn, worker_.inspector(), static_cast<ClientStreamSink&>(*this),
      InflatePolicy{parameters.client_max_window_bits, !parameters.client_no_context_takeover});
  from_upstream_->RecordIn(recorder_);
  from_client_->RecordIn(recorder_);
  BeginHeartbeats();
  tunnel_->UpstreamReady(now);
  LogOpened();
  if (client_) {
    metrics().handshakes[HandshakeResult::kAccepted].Add();
    client_.conn->Send(ForwardResponse(head, {.upgrade = true}));
    client_.conn->Resume();
  }
  const std::vector<std::uint8_t> early = std::move(opening_->early);
  opening_.reset();  // with it goes `head`
  if (client_ && !early.empty()) FeedClient(early);
  if (!rest.empty() && upstream_ != nullptr) FeedUpstream(rest);
}

void WebSocketSession::FeedClient(std::span<const std::uint8_t> data) {
  if (!from_client_) {
    // Not before the upstream's 101: kept, so that not a byte is lost.
    std::vector<std::uint8_t>& early = opening_->early;
    early.insert(early.end(), data.begin(), data.end());
    if (early.size() > config().limits.buffer) client_.conn->Pause();
    return;
  }
  if (client_ending_) {  // what it sends now comes too late
    if (client_ending_->awaited == Awaited::kNothing) client_ending_->awaited = Awaited::kFin;
    return;
  }
  bytes_up_ += data.size();
  metrics().bytes_up.Add(data.size());
  client_heartbeat_->Heard(worker_.now());
  recorder_.At(worker_.now());
  if (probing_) {
    probing_ = false;
    fence_.Answered(epoch_);
  }
  const std::uint64_t before = from_client_->messages();
  from_client_->Feed(data);
  metrics().messages_up.Add(from_client_->messages() - before);
  FlushToUpstream();
  BalanceUpstream();
}

void WebSocketSession::FeedUpstream(std::span<const std::uint8_t> data) {
  bytes_down_ += data.size();
  metrics().bytes_down.Add(data.size());
  upstream_heartbeat_->Heard(worker_.now());
  recorder_.At(worker_.now());
  if (stall_began_ != kNever) EndStall();
  const std::uint64_t before = from_upstream_->messages();
  from_upstream_->Feed(data);
  metrics().messages_down.Add(from_upstream_->messages() - before);
  BalanceClient();
}

// --- client to upstream

bool WebSocketSession::MayBegin() noexcept { return tunnel_->turn().open(); }

void WebSocketSession::MessageBegun() noexcept { tunnel_->ClientMessage(worker_.now()); }

void WebSocketSession::ToUpstream(std::span<const std::uint8_t> frames) noexcept {
  if (upstream_ != nullptr && !close_sent_) upstream_->Send(frames);
}

bool WebSocketSession::ClientControl(Opcode opcode, std::span<const std::uint8_t> payload,
                                     const MaskKey& key, bool last) noexcept {
  if (opcode != Opcode::kClose) {
    const bool own = opcode == Opcode::kPong && IsOwnPong(Side::kClient, payload);
    if (!own) recorder_.Frame(Side::kClient, opcode, true, payload.size());
    if (route_.forward_pings && !own) {
      ControlToUpstream(MakeControl(opcode, payload, &key));
    } else if (opcode == Opcode::kPing) {
      ControlToClient(MakeControl(Opcode::kPong, payload, false));
    }
    return true;
  }
  const ClosePayload close = ParseClose(payload);
  client_close_ = close.code;
  recorder_.CloseFrom(Side::kClient, close.code);
  last_words().close_reason.assign(close.reason.begin(), close.reason.end());
  EndClientLeg(close.code, {}, last ? Awaited::kNothing : Awaited::kFin);
  DropClient(CloseCause::kClientClosed, close.code);
  return false;
}

void WebSocketSession::ClientViolation(CloseCause cause, std::string_view why) noexcept {
  last_words().detail = why;
  EndClient(cause);
  DropClient(cause, CloseCode::kAbnormal);
}

WebSocketSession::WaitingControls& WebSocketSession::controls() {
  if (controls_ == nullptr) controls_ = std::make_unique<WaitingControls>();
  return *controls_;
}

void WebSocketSession::FlushToUpstream() {
  if (controls_ == nullptr || !from_client_->at_frame_boundary()) return;
  for (const ControlFrame& frame : std::exchange(controls_->to_upstream, {})) {
    ToUpstream(frame.bytes());
  }
}

void WebSocketSession::ControlToUpstream(const ControlFrame& frame) {
  if (from_client_->at_frame_boundary()) {
    ToUpstream(frame.bytes());
  } else {
    Queue(controls().to_upstream, frame);
  }
}

// --- upstream to client

void WebSocketSession::ToClient(std::span<const std::uint8_t> frames) noexcept {
  if (client_) client_.conn->Send(frames);
}

void WebSocketSession::AtBoundary() noexcept {
  if (client_ && controls_ != nullptr) {
    for (const ControlFrame& frame : std::exchange(controls_->to_client, {})) {
      ToClient(frame.bytes());
    }
  }
  if (client_ending_) SeeClientOff();
}

void WebSocketSession::UpstreamAnswer(bool matched) noexcept {
  tunnel_->UpstreamMessage(matched, worker_.now());
  ReleaseHeld();
}

void WebSocketSession::ReleaseHeld() {
  if (!client_ || client_ending_ || !from_client_ || from_client_->held() == 0) return;
  from_client_->Release();
  BalanceUpstream();
}

bool WebSocketSession::UpstreamControl(Opcode opcode,
                                       std::span<const std::uint8_t> payload) noexcept {
  if (opcode != Opcode::kClose) {
    const bool own = opcode == Opcode::kPong && IsOwnPong(Side::kUpstream, payload);
    if (!own) recorder_.Frame(Side::kUpstream, opcode, true, payload.size());
    if (route_.forward_pings && !own && client_) {
      ControlToClient(MakeControl(opcode, payload, false));
    } else if (opcode == Opcode::kPing) {
      ControlToUpstream(MakeControl(Opcode::kPong, payload, true));
    }
    return true;
  }
  const ClosePayload close = ParseClose(payload);
  upstream_close_ = close.code;
  recorder_.CloseFrom(Side::kUpstream, close.code);
  if (client_) last_words().close_reason.assign(close.reason.begin(), close.reason.end());
  tunnel_->UpstreamClose(worker_.now());
  // The answer to our own Close: the backend tells its application only after our FIN.
  if (close_sent_ && upstream_ != nullptr) upstream_->FinishWriting();
  return false;
}

void WebSocketSession::UpstreamViolation(CloseCause cause, std::string_view why) noexcept {
  last_words().detail = why;
  last_words().close_reason.clear();
  tunnel_->UpstreamFault(cause, worker_.now());
}

void WebSocketSession::ControlToClient(const ControlFrame& frame) {
  if (!client_ || client_ending_) return;
  if (from_upstream_->at_frame_boundary()) {
    ToClient(frame.bytes());
  } else {
    Queue(controls().to_client, frame);
    from_upstream_->StopAtBoundary();
  }
}

// --- the client's end

// The table's code, or the route's own for this cause.
CloseCode WebSocketSession::CodeToClient(CloseCause cause) const {
  const auto own = std::ranges::find(route_.close_codes, cause, &CloseCodeChoice::cause);
  return own != route_.close_codes.end() ? own->code : connguard::Describe(cause).to_client;
}

void WebSocketSession::EndClient(CloseCause cause) {
  if (!client_ || client_ending_) return;
  if (!from_client_) {
    if (refusing_) {
      client_.conn->Reset();  // half an answer must not look whole
      client_.Drop();
    } else {
      RefuseFor(cause);
    }
    return;
  }
  const CloseCode code = CodeToClient(cause);
  const bool own = code == CloseCode::kNone;  // the upstream's own code and reason
  // After an illegal frame nothing that the client sends can be understood.
  const bool deaf = cause == CloseCause::kClientProtocol || cause == CloseCause::kClientTooBig;
  EndClientLeg(own ? upstream_close_ : code, own ? close_reason() : AsBytes(detail()),
               deaf || code == CloseCode::kAbnormal ? Awaited::kFin : Awaited::kClose);
}

void WebSocketSession::EndClientLeg(CloseCode code, std::span<const std::uint8_t> reason,
                                    Awaited awaited) {
  client_ending_ = std::make_unique<ClientEnding>(ClientEnding{
      code, code == CloseCode::kAbnormal ? ControlFrame{} : MakeClose(code, reason, false), awaited,
      worker_.now() + route_.session.close_timeout});
  if (from_upstream_->at_frame_boundary() || phase_ != UpstreamPhase::kFrames) {
    SeeClientOff();
  } else {
    from_upstream_->StopAtBoundary();
  }
  ResumeUpstream();
}

void WebSocketSession::SeeClientOff() {
  ClientEnding ending = *std::exchange(client_ending_, nullptr);
  if (from_upstream_->at_frame_boundary()) {
    const std::span<const std::uint8_t> last = ending.last_words.bytes();
    if (ending.awaited == Awaited::kClose) {
      client_.conn->Send(last);
    } else {
      client_.conn->SendLast(last);
    }
    sent_down_ = ending.code;
    if (ending.code != CloseCode::kAbnormal) NoteCloseTo(Side::kClient, ending.code);
  } else {
    // The upstream ended in the middle of a frame: a Close would be taken for its payload.
    if (ending.awaited == Awaited::kClose) ending.awaited = Awaited::kFin;
  }
  client_heartbeat_.reset();
  if (controls_ != nullptr) controls_->to_client.clear();
  // Nothing is there that would make of a close() a reset, and no close_notify will come.
  if (ending.awaited == Awaited::kNothing && client_.conn->queued() == 0 &&
      client_.conn->tls() == nullptr) {
    client_.Drop();
    return;
  }
  worker_.Admit(std::make_unique<Farewell>(
      worker_, std::exchange(client_, ClientLeg{}),
      ClosingHandshake{from_client_->TakeScanner(), ending.awaited != Awaited::kClose},
      route_.session.close_timeout));
}

void WebSocketSession::DropClient(CloseCause cause, CloseCode code) {
  const TimePoint now = worker_.now();
  if (from_client_ && from_client_->in_message()) tunnel_->ClientMessageCut(now);
  const bool first = !tunnel_->client_gone();
  tunnel_->ClientGone(cause, code, now);
  if (!first) return;
  recorder_.At(now);
  recorder_.Note("client gone");
  Tell(AdminEvent::Kind::kDropped);
}

void WebSocketSession::LoseClient(CloseCause cause) {
  if (client_) client_.conn->Reset();
  client_.Drop();
  client_heartbeat_.reset();
  client_ending_.reset();
  ResumeUpstream();
  if (tunnel_) {
    if (!from_client_) Abandon(HandshakeResult::kClientLeft);
    DropClient(cause, CloseCode::kAbnormal);
  } else {
    Abandon(HandshakeResult::kClientLeft);
  }
}

void WebSocketSession::OnEnd(Conn& conn, ConnEnd end) noexcept {
  if (&conn == client_.conn.get()) {
    if (end == ConnEnd::kTlsFailed) last_words().tls_error = conn.tls_error();
    LoseClient(end == ConnEnd::kReset      ? CloseCause::kClientReset
               : end == ConnEnd::kTimedOut ? CloseCause::kClientTimeout
                                           : CloseCause::kClientLost);
  } else {
    LoseUpstream(conn, end);
  }
  Settle();
}

// --- the upstream's end

void WebSocketSession::CloseUpstream(CloseCode code) {
  if (upstream_ == nullptr || close_sent_) return;
  if (from_client_->at_frame_boundary()) {
    // The client's own code goes with its own reason, any other without one.
    std::span<const std::uint8_t> reason;
    if (tunnel_->cause() == CloseCause::kClientClosed && code == client_close_) {
      reason = close_reason();
    }
    upstream_->Send(MakeClose(code, reason, true).bytes());
    sent_up_ = code;
    NoteCloseTo(Side::kUpstream, code);
    close_sent_ = true;
  } else {
    // In the middle of a frame whose rest will never come there is no room for a Close.
    upstream_->FinishWriting();
  }
}

void WebSocketSession::ReplyUpstream() {
  if (upstream_ == nullptr || close_sent_) return;
  if (from_client_->at_frame_boundary()) {
    upstream_->SendLast(MakeClose(upstream_close_, {}, true).bytes());
    sent_up_ = upstream_close_;
    NoteCloseTo(Side::kUpstream, upstream_close_);
  }
  close_sent_ = true;
  upstream_->FinishWriting();
}

void WebSocketSession::LoseUpstream(const Conn& conn, ConnEnd end) {
  const TimePoint now = worker_.now();
  const bool failed = opening_ != nullptr && opening_->dial.Failed(conn, end);
  if (end == ConnEnd::kTlsFailed) last_words().tls_error = conn.tls_error();
  upstream_.reset();
  const UpstreamPhase phase = std::exchange(phase_, UpstreamPhase::kNone);
  if (opening_ != nullptr) opening_->dial.GiveUp();
  if (failed) {
    phase_ = phase;
    DialNext();
    return;
  }
  if (phase == UpstreamPhase::kRefusal) {
    if (opening_->answer->End().status == ResponseReader::Status::kDone && end == ConnEnd::kFin) {
      FinishRefusal();
      return;
    }
    tunnel_->UpstreamGone(CloseCause::kUpstreamRefused, now);
    return;
  }
  const bool closed = upstream_close_ != CloseCode::kAbnormal;
  tunnel_->UpstreamGone(closed                      ? CloseCause::kUpstreamClosed
                        : end == ConnEnd::kReset    ? CloseCause::kUpstreamReset
                        : end == ConnEnd::kTimedOut ? CloseCause::kUpstreamTimeout
                                                    : CloseCause::kUpstreamLost,
                        now);
}

}  // namespace connguard
