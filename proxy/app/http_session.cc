// A plain request on its way up: key, connection, body; and the clocks of the whole.
#include "app/http_session.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "app/refusal.h"
#include "app/tracing.h"
#include "app/worker.h"
#include "http/forwarding.h"

namespace connguard {

namespace {

// RFC 9110 §9.2.2.
bool IsIdempotent(std::string_view method) {
  constexpr auto kMethods =
      std::to_array<std::string_view>({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"});
  return std::ranges::find(kMethods, method) != kMethods.end();
}

bool WantsKeepAlive(const RequestHead& head) {
  if (head.version < 11) return HasToken(head.fields, "Connection", "keep-alive");
  return !HasToken(head.fields, "Connection", "close");
}

// Content-Length; 0 for none. The parser has seen that it is a number.
std::uint64_t AnnouncedSize(const RequestHead& head) {
  const std::string text(Find(head.fields, "Content-Length").value_or("0"));
  return std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

HttpSession::HttpSession(Worker& worker, std::shared_ptr<const Generation> generation,
                         Client client, const Matched& matched, RequestReader request,
                         std::span<const std::uint8_t> rest)
    : Session(worker, std::move(generation)),
      matched_(matched),
      route_(*matched_.route),
      upstream_config_(generation_->UpstreamOf(route_)),
      client_(std::move(client)),
      address_(AddressOf(config(), client_, request.head())),
      trace_(TraceOf(request.head(), upstream_config_)),
      fence_(worker, {}, {}),
      request_(std::move(request)),
      held_(worker),
      dial_(worker, *generation_, route_.upstream),
      timer_([](void* self) noexcept { static_cast<HttpSession*>(self)->Tick(); }, this) {
  const RequestHead& head = request_.head();
  const std::vector<std::string>& fenced = route_.session.methods;
  if (std::ranges::find(fenced, head.method) != fenced.end()) {
    fence_ = FenceClient(worker, SessionKey(config(), matched, head, address_), {});
  }
  keep_client_ = WantsKeepAlive(head);
  awaits_continue_ = head.version >= 11 && HasToken(head.fields, "Expect", "100-continue");
  request_done_ = request_.Feed({}).status == RequestReader::Status::kDone;
  repeatable_ = request_done_ && IsIdempotent(head.method);
  std::vector<std::uint8_t>& kept = request_done_ ? next_ : early_;
  kept.assign(rest.begin(), rest.end());
}

void HttpSession::Start() noexcept {
  client_.conn->set_handler(this);
  WatchClient(client_, route_, Silence::kProbed);
  const Bytes limit = config().limits.body_size;
  if (limit > 0) {
    request_.SetDataSink([this](std::string_view data) { body_size_ += data.size(); });
    if (AnnouncedSize(request_.head()) > limit) {
      Refuse(413, "the body is longer than limits.body_size");
      return;
    }
  }
  if (!TakeKey()) Connect();
  if (!closed_) Arm();
}

// False: there is nothing to wait for.
bool HttpSession::TakeKey() {
  if (!fence_.fenced()) return false;
  fence_ = FenceClient(worker_, fence_.key(), Ticket{worker_.index(), id()});
  waiting_ = true;
  wait_deadline_ = worker_.now() + route_.session.wait;
  fence_.Acquire(route_.session.on_conflict);
  return true;
}

bool HttpSession::OnFence(const FenceEffect& effect) noexcept {
  if (closed_) return false;
  const bool holder = effect.epoch == epoch_ && epoch_ != Epoch::kNone;
  switch (effect.kind) {
    case FenceEffect::Kind::kGrant:
      if (!waiting_) return false;
      waiting_ = false;
      wait_deadline_ = kNever;
      epoch_ = effect.epoch;
      Connect();
      break;
    case FenceEffect::Kind::kSupersede:
    case FenceEffect::Kind::kConflict:
      if (!waiting_) return false;
      waiting_ = false;
      Refuse(409, effect.kind == FenceEffect::Kind::kConflict ? kWhyConflict : kWhySuperseded);
      break;
    case FenceEffect::Kind::kEvict:
      if (!holder) return false;
      if (client_) Evict();  // else it left while the fence was asking
      break;
    case FenceEffect::Kind::kProbe:
      // A client that had gone would have been noticed: its connection is always being read.
      if (!holder || !client_) return false;
      fence_.Answered(epoch_);
      break;
  }
  if (!closed_) Arm();
  return true;
}

void HttpSession::OnDrain(TimePoint /*at*/) noexcept {
  if (waiting_) Refuse(503, kWhyStopping, kRetryAfterSeconds);
  // An answer under way is finished.
}

void HttpSession::OnCut() noexcept {
  if (client_) Fail(503, kWhyStopping);
}

Bytes HttpSession::buffered() const {
  return held_.value() + (client_ ? client_.conn->queued() : 0) +
         (upstream_ != nullptr ? upstream_->queued() : 0);
}

void HttpSession::OnPressure() noexcept {
  if (!client_) return;
  CutClient();
  if (!closed_) Arm();
}

void HttpSession::Connect() {
  if (!retried_) {
    UpstreamPool& pool = worker_.pool();
    const UpstreamPlace& place = *generation_->places[route_.upstream];
    upstream_ = repeatable_ ? pool.Take(place, this) : pool.TakeFresh(place, this);
  }
  reused_ = upstream_ != nullptr;
  if (!reused_) {
    DialNext();
    return;
  }
  worker_.metrics().upstream_reuses.Add();
  BeginRequest();
}

void HttpSession::DialNext() {
  upstream_ = dial_.Next(this);
  if (upstream_ != nullptr) return;
  if (dial_timed_out_) {
    Refuse(504, "no connection to the upstream within upstreams[].connect_timeout");
  } else {
    Refuse(502, "the upstream cannot be reached");
  }
}

void HttpSession::OnConnected(Conn& conn) noexcept {
  dial_.Done(conn);
  WatchUpstream(*upstream_, route_, Silence::kProbed);
  BeginRequest();
  if (!closed_) Arm();
}

void HttpSession::BeginRequest() {
  connected_ = true;
  answer_deadline_ = worker_.now() + upstream_config_.response_timeout;
  NewAnswer();
  RequestHop hop = HopOf(config(), client_, request_.head(), upstream_config_, trace_);
  hop.close = upstream_config_.keepalive.connections == 0;
  Rewrite(config(), request_.head(), matched_, hop);
  PassBody(ForwardRequest(request_.head(), hop), std::exchange(early_, {}));
}

void HttpSession::OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept {
  if (closed_) return;
  if (&conn == client_.conn.get()) {
    ReadClient(data);
  } else {
    ReadAnswer(data);
  }
  if (!closed_) Arm();
}

void HttpSession::ReadClient(std::span<const std::uint8_t> data) {
  client_deadline_ = kNever;  // counts anew
  if (connected_ && !request_done_) {
    awaits_continue_ = false;
    PassBody({}, data);
    return;
  }
  std::vector<std::uint8_t>& kept = request_done_ ? next_ : early_;
  kept.insert(kept.end(), data.begin(), data.end());
  BalanceClient();
}

// `head`, if this is the begin, and the request's part of `data`; what follows is the next one's.
void HttpSession::PassBody(std::string head, std::span<const std::uint8_t> data) {
  if (request_done_) {
    upstream_->Send(head);
    return;
  }
  const RequestReader::Result result = request_.Feed(data);
  if (result.status == RequestReader::Status::kError) {
    Fail(result.http_status, result.why);
    return;
  }
  const LimitsConfig& limits = config().limits;
  if (limits.body_size > 0 && body_size_ > limits.body_size) {
    Fail(413, "the body is longer than limits.body_size");
    return;
  }
  head += result.held;
  upstream_->Send(head, data.first(result.pass));
  metrics().bytes_up.Add(result.held.size() + result.pass);
  request_done_ = result.status == RequestReader::Status::kDone;
  answer_deadline_ = answering_ ? kNever : worker_.now() + upstream_config_.response_timeout;
  if (request_done_)
    next_.assign(data.begin() + static_cast<std::ptrdiff_t>(result.taken), data.end());
  BalanceClient();
}

// The client is read – so that its end is seen – unless too much of it waits already.
void HttpSession::BalanceClient() {
  if (!client_) return;
  const LimitsConfig& limits = config().limits;
  Bytes high = limits.buffer;
  Bytes waiting = connected_ ? upstream_->queued() : early_.size();
  if (request_done_) {
    high = limits.header_size;
    waiting = next_.size();
  }
  if (waiting > high) {
    client_.conn->Pause();
  } else if (waiting <= high / 2) {
    client_.conn->Resume();
  }
}

void HttpSession::BalanceUpstream() {
  if (upstream_ == nullptr) return;
  const Bytes high = config().limits.buffer;
  const Bytes queued = client_ ? client_.conn->queued() : 0;
  if (queued > high) {
    upstream_->Pause();
  } else if (queued <= high / 2) {
    upstream_->Resume();
  }
}

void HttpSession::OnProgress(Conn& conn) noexcept {
  if (closed_) return;
  if (&conn == client_.conn.get()) {
    client_deadline_ = kNever;
    BalanceUpstream();
  } else if (connected_) {
    if (!answering_) answer_deadline_ = worker_.now() + upstream_config_.response_timeout;
    BalanceClient();
  }
  Arm();
}

void HttpSession::OnEnd(Conn& conn, ConnEnd end) noexcept {
  if (closed_) return;
  if (&conn == client_.conn.get()) {
    client_.Drop();
    LoseClient();
  } else if (dial_.Failed(conn, end)) {
    DialNext();
  } else {
    LoseUpstream(end);
  }
  if (!closed_) Arm();
}

// --- clocks

// It has to send more of its request, or to take more of its answer.
bool HttpSession::ClientIsAwaited() const {
  if (!client_ || !connected_) return false;
  const bool sends = !request_done_ && !awaits_continue_ && !client_.conn->paused();
  return sends || client_.conn->queued() > 0;
}

void HttpSession::Arm() {
  held_.Set(early_.size() + next_.size());
  if (!ClientIsAwaited()) {
    client_deadline_ = kNever;
  } else if (client_deadline_ == kNever) {
    client_deadline_ = worker_.now() + config().limits.body_timeout;
  }
  TimePoint next = std::min({wait_deadline_, dial_.deadline(), answer_deadline_, client_deadline_});
  if (shield_began_ != kNever) next = std::min(next, shield_began_ + route_.turn.policy.max);
  worker_.loop().timers().ArmAtLatest(timer_, next);
}

void HttpSession::Tick() {
  if (closed_) return;
  const TimePoint now = worker_.now();
  if (now >= wait_deadline_) {
    Refuse(503, kWhyWaited, kRetryAfterSeconds);
  } else if (now >= dial_.deadline()) {
    upstream_.reset();
    dial_timed_out_ = true;
    DialNext();
  } else if (shield_began_ != kNever && now >= shield_began_ + route_.turn.policy.max) {
    Cancel();
  } else if (now >= answer_deadline_) {
    // While the rest of the request is still to come, it is the client who is late.
    const bool asked = request_done_ || awaits_continue_ || upstream_->queued() > 0;
    if (asked) Fail(504, "no answer within upstreams[].response_timeout");
    answer_deadline_ = now + upstream_config_.response_timeout;
  } else if (now >= client_deadline_) {
    if (answering_ || request_done_) {
      CutClient();
    } else {
      Refuse(408, "no more of the body within limits.body_timeout");
    }
  }
  if (!closed_) Arm();
}

}  // namespace connguard
