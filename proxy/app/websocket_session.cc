// A client's WebSocket up to the upstream's answer; effects and timers.
#include "app/websocket_session.h"

#include <algorithm>
#include <utility>

#include "app/farewell.h"
#include "app/refusal.h"
#include "app/tracing.h"
#include "app/worker.h"

namespace connguard {

namespace {

// How long a half-open client may keep a newcomer waiting (on_conflict: reject).
constexpr Millis kProbeTimeout{2'000};

// Heartbeats wake the worker together, ten times a second at most: to wake up is dearer than to
// ping.
TimePoint OnBeat(TimePoint due) {
  using Beat = std::chrono::duration<std::int64_t, std::deci>;
  return due == kNever ? kNever : TimePoint(std::chrono::ceil<Beat>(due.time_since_epoch()));
}

// The handshake as it goes to the upstream.
std::string Forwarded(const Generation& generation, const Client& client, const RequestHead& head,
                      const Matched& matched, const TraceContext& trace) {
  const RouteConfig& route = *matched.route;
  RequestHop hop = HopOf(*generation.config, client, head, generation.UpstreamOf(route), trace);
  hop.upgrade = true;
  hop.strip_extensions = route.compression == Compression::kOff;
  // Of other extensions nobody knows what they do to messages that the profile must read.
  hop.deflate_only = route.turn.reads_content();
  Rewrite(*generation.config, head, matched, hop);
  return ForwardRequest(head, hop);
}

// What the upstream's 101 says of extensions. Where nothing is read, anything may pass.
Extensions Negotiated(const RouteConfig& route, const ResponseHead& head, bool deflate_offered) {
  if (route.compression == Compression::kOff || route.turn.reads_content()) {
    return ReadExtensions(head, deflate_offered);
  }
  Extensions extensions;
  if (NamesDeflate(head.fields)) extensions.deflate.emplace();
  return extensions;
}

}  // namespace

WebSocketSession::WebSocketSession(Worker& worker, std::shared_ptr<const Generation> generation,
                                   Client client, const Matched& matched, const RequestHead& head,
                                   std::span<const std::uint8_t> early)
    : Session(worker, std::move(generation)),
      route_(*matched.route),
      held_(worker),
      timer_([](void* self) noexcept { static_cast<WebSocketSession*>(self)->Tick(); }, this),
      recorder_(worker.now()),
      address_(AddressOf(config(), client, head)),
      target_(TargetForLog(config(), head)),
      fence_(worker, SessionKey(config(), matched, head, address_), {}),
      started_(worker.now()),
      state_since_(started_) {
  const TraceContext trace = TraceOf(head, generation_->UpstreamOf(route_));
  trace_ = trace.trace_id();
  opening_ = std::make_unique<Opening>(Opening{
      .request = Forwarded(*generation_, client, head, matched, trace),
      .key = std::string(Find(head.fields, "Sec-WebSocket-Key").value_or("")),
      .deflate_offered = route_.compression != Compression::kOff && NamesDeflate(head.fields),
      .early = {early.begin(), early.end()},
      .dial = UpstreamDial(worker, *generation_, route_.upstream),
      .answer = {}});
  client_ = std::move(client);
}

void WebSocketSession::Start() noexcept {
  client_.conn->set_handler(this);
  if (worker_.shutting_down()) {
    RefuseClient(503, kWhyStopping, HandshakeResult::kShutdown, kRetryAfterSeconds);
    Settle();
    return;
  }
  if (!fence_.fenced()) {
    Dial();
    Settle();
    return;
  }
  fence_ = FenceClient(worker_, fence_.key(), Ticket{worker_.index(), id()});
  waiting_ = true;
  opening_->wait_deadline = worker_.now() + route_.session.wait;
  fence_.Acquire(route_.session.on_conflict);
  Settle();
}

bool WebSocketSession::OnFence(const FenceEffect& effect) noexcept {
  if (closed_) return false;
  switch (effect.kind) {
    case FenceEffect::Kind::kGrant:
      if (!waiting_) return false;
      waiting_ = false;
      opening_->wait_deadline = kNever;
      epoch_ = effect.epoch;
      metrics().handshake_hold.Observe(worker_.now() - started_);
      Dial();
      break;
    case FenceEffect::Kind::kSupersede:
    case FenceEffect::Kind::kConflict: {
      if (!waiting_) return false;
      waiting_ = false;
      const bool conflict = effect.kind == FenceEffect::Kind::kConflict;
      RefuseClient(409, conflict ? kWhyConflict : kWhySuperseded,
                   conflict ? HandshakeResult::kConflict : HandshakeResult::kSuperseded);
      break;
    }
    case FenceEffect::Kind::kEvict:
      if (effect.epoch != epoch_ || !tunnel_) return false;
      EndClient(CloseCause::kSuperseded);
      DropClient(CloseCause::kSuperseded, CloseCode::kAbnormal);
      break;
    case FenceEffect::Kind::kProbe:
      if (effect.epoch != epoch_ || !client_) return false;
      if (client_heartbeat_) {
        probing_ = true;
        client_heartbeat_->Probe(kProbeTimeout, worker_.now());
        TickHeartbeats();
      } else {
        fence_.Answered(epoch_);  // its handshake is under way: it has only just come
      }
      break;
  }
  Settle();
  return true;
}

void WebSocketSession::Dial() {
  granted_ = worker_.now();
  tunnel_.emplace(generation_->TunnelPolicyOf(route_), route_.turn.policy, granted_);
  phase_ = UpstreamPhase::kHandshake;
  opening_->answer.emplace(config().limits.header_size);
  DialNext();
}

void WebSocketSession::DialNext() {
  upstream_ = opening_->dial.Next(this);
  if (upstream_ != nullptr) return;
  phase_ = UpstreamPhase::kNone;
  tunnel_->UpstreamGone(CloseCause::kUpstreamUnreachable, worker_.now());
}

void WebSocketSession::OnConnected(Conn& conn) noexcept {
  opening_->dial.Done(conn);
  upstream_->Send(opening_->request);
  Settle();
}

void WebSocketSession::OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept {
  if (&conn == client_.conn.get()) {
    FeedClient(data);
  } else if (phase_ == UpstreamPhase::kFrames) {
    FeedUpstream(data);
  } else {
    ReadAnswer(data);
  }
  Settle();
}

void WebSocketSession::ReadAnswer(std::span<const std::uint8_t> data) {
  while (upstream_ != nullptr && phase_ != UpstreamPhase::kNone) {
    const ResponseReader::Result result = opening_->answer->Feed(data);
    const std::span<const std::uint8_t> sound = data.first(result.pass);
    data = data.subspan(result.taken);
    switch (result.status) {
      case ResponseReader::Status::kNeedMore:
        return;
      case ResponseReader::Status::kError:
        last_words().detail = result.why;
        phase_ = UpstreamPhase::kNone;
        tunnel_->UpstreamFault(CloseCause::kUpstreamProtocol, worker_.now());
        return;
      case ResponseReader::Status::kHead:
        TakeAnswer(opening_->answer->head(), data);
        if (phase_ == UpstreamPhase::kFrames) return;
        break;
      case ResponseReader::Status::kBody:
        if (client_) client_.conn->Send(result.held, sound);
        BalanceClient();
        if (data.empty()) return;
        break;
      case ResponseReader::Status::kDone:
        if (client_) client_.conn->Send(result.held, sound);
        if (phase_ == UpstreamPhase::kHandshake) {
          opening_->answer.emplace(config().limits.header_size);  // it was a 1xx
          break;
        }
        FinishRefusal();
        return;
    }
  }
}

void WebSocketSession::TakeAnswer(const ResponseHead& head, std::span<const std::uint8_t> rest) {
  if (head.status >= 100 && head.status < 200 && head.status != 101) return;
  if (head.status == 101) {
    const Extensions extensions = Negotiated(route_, head, opening_->deflate_offered);
    const std::string_view fault = IsWebSocketAccept(head, opening_->key)
                                       ? extensions.error
                                       : "the upstream's 101 is not an answer to this handshake";
    if (fault.empty()) {
      BeginRelay(head, extensions.deflate, rest);
    } else {
      last_words().detail = fault;
      phase_ = UpstreamPhase::kNone;  // what follows answers nothing either
      tunnel_->UpstreamFault(CloseCause::kUpstreamProtocol, worker_.now());
    }
    return;
  }
  phase_ = UpstreamPhase::kRefusal;
  if (!client_) return;
  refusing_ = true;
  metrics().handshakes[HandshakeResult::kRefusedByUpstream].Add();
  client_.conn->Send(
      ForwardResponse(head, {.close = true, .via = generation_->UpstreamOf(route_).via}));
}

void WebSocketSession::FinishRefusal() {
  SayFarewell(worker_, std::exchange(client_, ClientLeg{}), {});
  upstream_.reset();
  phase_ = UpstreamPhase::kNone;
  tunnel_->UpstreamGone(CloseCause::kUpstreamRefused, worker_.now());
}

void WebSocketSession::RefuseClient(int status, std::string_view why, HandshakeResult result,
                                    int retry_after) {
  if (!client_) return;
  metrics().handshakes[result].Add();
  connguard::RefuseClient(worker_, std::exchange(client_, ClientLeg{}), status, why,
                          {.client = address_,
                           .route = route_.name,
                           .client_key = fence_.client_key(),
                           .trace = trace_.value(),
                           .target = target_,
                           .retry_after = retry_after});
}

void WebSocketSession::RefuseFor(CloseCause cause) {
  switch (cause) {
    case CloseCause::kSuperseded:
      RefuseClient(409, kWhySuperseded, HandshakeResult::kSuperseded);
      return;
    case CloseCause::kShutdown:
      RefuseClient(503, kWhyStopping, HandshakeResult::kShutdown, kRetryAfterSeconds);
      return;
    case CloseCause::kOperator:
      RefuseClient(503, kWhyOperator, HandshakeResult::kOperator);
      return;
    case CloseCause::kUpstreamUnreachable:
      RefuseClient(502, "the upstream cannot be reached", HandshakeResult::kUpstreamUnreachable);
      return;
    case CloseCause::kUpstreamHandshakeTimeout:
      RefuseClient(504, "no answer within upstreams[].handshake_timeout",
                   HandshakeResult::kUpstreamTimeout);
      return;
    default:
      RefuseClient(502, detail().empty() ? "the upstream ended without an answer" : detail(),
                   HandshakeResult::kUpstreamInvalid);
      return;
  }
}

void WebSocketSession::Abandon(HandshakeResult result) {
  metrics().handshakes[result].Add();
  if (!waiting_) return;
  waiting_ = false;
  fence_.Abandon();
}

void WebSocketSession::Perform(const TunnelEffect& effect) {
  switch (effect.kind) {
    case TunnelEffect::Kind::kCloseUpstream:
      CloseUpstream(effect.code);
      break;
    case TunnelEffect::Kind::kReplyUpstream:
      ReplyUpstream();
      break;
    case TunnelEffect::Kind::kResetUpstream:
      if (upstream_ != nullptr) upstream_->Reset();
      upstream_.reset();
      phase_ = UpstreamPhase::kNone;
      break;
    case TunnelEffect::Kind::kEndClient:
      EndClient(effect.cause);
      break;
    case TunnelEffect::Kind::kDropped:
      fence_.Dropped(epoch_);
      break;
    case TunnelEffect::Kind::kBarrier:
      barrier_ = std::make_unique<Barrier>(worker_, *generation_, route_, [this] {
        tunnel_->BarrierPassed(worker_.now());
        Settle();
      });
      if (!barrier_->Start()) tunnel_->BarrierPassed(worker_.now());
      break;
    case TunnelEffect::Kind::kRelease:
      fence_.Release(epoch_);
      if (barrier_ != nullptr && barrier_->waiting()) worker_.metrics().barrier_timeouts.Add();
      barrier_.reset();
      released_ = true;
      break;
  }
}

void WebSocketSession::Settle() {
  if (closed_) return;
  held_.Set((opening_ != nullptr ? opening_->early.size() : 0) +
            (from_client_ ? from_client_->buffered() : 0) +
            (from_upstream_ ? from_upstream_->buffered() : 0));
  EndAtBoundary();
  if (tunnel_) {
    while (const std::optional<TunnelEffect> effect = tunnel_->PollEffect()) Perform(*effect);
    turn_times_.Follow(tunnel_->turn(), tunnel_->client_gone(), worker_.now(), metrics());
  }
  if (StateWord() != told_state_) NoteState();
  if (!client_ && (released_ || (!tunnel_ && !waiting_))) {
    Close();
    return;
  }
  worker_.loop().timers().ArmAtLatest(timer_, NextTimeout());
}

void WebSocketSession::Close() {
  closed_ = true;
  if (tunnel_ && !logged_) LogClosed();
  Tell(AdminEvent::Kind::kClosed);
  Retire();
}

TimePoint WebSocketSession::NextTimeout() const {
  TimePoint next = slow_deadline_;
  if (opening_ != nullptr) {
    next = std::min({next, opening_->wait_deadline, opening_->dial.deadline()});
  }
  if (tunnel_) next = std::min(next, tunnel_->NextTimeout());
  if (drain_at_ != kNever && client_) {
    next = std::min(next, drain_at_ > worker_.now() ? drain_at_ : tunnel_->turn().NextTimeout());
  }
  if (client_ending_) next = std::min(next, client_ending_->deadline);
  // That a turn ends by its time matters to nobody but the metrics while its client is here.
  TimePoint beat = tunnel_ ? tunnel_->turn().NextTimeout() : kNever;
  if (client_heartbeat_) beat = std::min(beat, client_heartbeat_->NextTimeout());
  if (upstream_heartbeat_) beat = std::min(beat, upstream_heartbeat_->NextTimeout());
  return std::min(next, OnBeat(beat));
}

void WebSocketSession::Tick() {
  const TimePoint now = worker_.now();
  if (opening_ != nullptr && now >= opening_->wait_deadline) {
    opening_->wait_deadline = kNever;
    waiting_ = false;
    fence_.Abandon();
    metrics().handshake_hold.Observe(now - started_);
    RefuseClient(503, kWhyWaited, HandshakeResult::kWaitTimeout, kRetryAfterSeconds);
  }
  if (now >= dial_deadline()) {
    upstream_.reset();
    DialNext();
  }
  if (client_ending_ && now >= client_ending_->deadline) {
    client_.conn->Reset();
    client_ending_.reset();
    client_.Drop();
    client_heartbeat_.reset();
  }
  if (now >= slow_deadline_) LoseClient(CloseCause::kClientSlow);
  if (tunnel_) tunnel_->Tick(now);
  ReleaseHeld();  // silence may have ended a turn
  TickHeartbeats();
  Settle();
}

}  // namespace connguard
