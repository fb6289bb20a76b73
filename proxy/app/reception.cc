// From accept, or from the last answer, to the route.
#include "app/reception.h"

#include <utility>

#include "app/admission.h"
#include "app/farewell.h"
#include "app/refusal.h"
#include "app/worker.h"
#include "config/cidr.h"
#include "config/route_match.h"
#include "log/log.h"
#include "tls/tls_context.h"

namespace connguard {

namespace {

// For what is on its way already when the guard is stopped.
constexpr Millis kLastChance{1'000};
// For the first byte of who will be refused at it: he must not hold the room of others meanwhile.
constexpr Millis kPatienceAtDoor{2'000};

}  // namespace

Reception::Reception(Worker& worker, Fd fd, Client client, bool full)
    : Session(worker),
      fd_(std::move(fd)),
      client_(std::move(client)),
      door_(full ? Door::kFull : Door::kOpen),
      first_(true),
      reader_(worker.config().limits.header_size),
      timer_([](void* self) noexcept { static_cast<Reception*>(self)->TimeOut(); }, this) {}

Reception::Reception(Worker& worker, Client client, std::vector<std::uint8_t> early)
    : Session(worker),
      client_(std::move(client)),
      first_(false),
      early_(std::move(early)),
      reader_(worker.config().limits.header_size),
      timer_([](void* self) noexcept { static_cast<Reception*>(self)->TimeOut(); }, this) {}

void Reception::Start() noexcept {
  const LimitsConfig& limits = worker_.config().limits;
  if (first_) {
    worker_.loop().timers().Arm(timer_, worker_.now() + limits.handshake_timeout);
    if (!Begin()) Leave();
    return;
  }
  client_.conn->set_handler(this);
  worker_.loop().timers().Arm(timer_, worker_.now() + limits.keepalive_timeout);
  if (ReadsTooLittle()) {
    client_.conn->Pause();
    return;
  }
  client_.conn->Resume();
  if (!early_.empty()) Read(std::exchange(early_, {}));
}

// False: there is no connection.
bool Reception::Begin() {
  const Generation& generation = *worker_.generation();
  const ListenerConfig& listener = generation.config->listeners[client_.listener];
  std::unique_ptr<TlsStream> tls;
  if (listener.proxy_protocol) {
    if (!IsTrusted(listener.trusted_proxies, client_.ip)) {
      RefuseProxy("the peer is not one of trusted_proxies");
      return false;
    }
    proxy_.emplace();
  } else {
    KnowAddress();
    if (listener.tls) tls = generation.credentials->listeners[client_.listener]->Accept();
  }
  client_.conn =
      worker_.transport().Adopt(std::move(fd_), this, Adopted::kAccepted, std::move(tls));
  return true;
}

void Reception::ReadProxyHeader(std::span<const std::uint8_t> data) {
  ProxyHeaderReader::Result result = proxy_->Feed(data);
  switch (result.status) {
    case ProxyHeaderReader::Status::kNeedMore:
      return;
    case ProxyHeaderReader::Status::kError:
      RefuseProxy(result.why);
      Leave();
      return;
    case ProxyHeaderReader::Status::kDone:
      break;
  }
  proxy_.reset();
  if (result.address) client_.ip = *std::move(result.address);
  KnowAddress();
  const auto& tls = worker_.generation()->credentials->listeners[client_.listener];
  const std::span<const std::uint8_t> rest = data.subspan(result.taken);
  if (tls != nullptr) {
    client_.conn->BeginTls(tls->Accept(), rest);
  } else if (!rest.empty()) {
    Read(rest);
  }
}

void Reception::RefuseProxy(std::string_view why) {
  Log(LogLevel::kWarn, "proxy_header_refused", {{"client", client_.ip}, {"why", why}});
  worker_.metrics().unrouted().handshakes[HandshakeResult::kBadRequest].Add();
}

// Whose connection this is. A trusted proxy's carries those of others.
void Reception::KnowAddress() {
  const ListenerConfig& listener = worker_.config().listeners[client_.listener];
  if (door_ == Door::kOpen && !IsTrusted(listener.trusted_proxies, client_.ip)) {
    door_ = Knock(client_.ip);
  }
  if (door_ != Door::kOpen) {
    worker_.loop().timers().ArmAtLatest(timer_, worker_.now() + kPatienceAtDoor);
  }
}

Reception::Door Reception::Knock(const std::string& ip) {
  const std::optional<IpAddress> address = ParseIp(ip);
  if (!address) return Door::kOpen;  // `unix`
  AddressLimits& limits = worker_.address_limits();
  if (!limits.Handshake(*address, worker_.now())) return Door::kTooFast;
  if (!limits.Connect(*address)) return Door::kAddressFull;
  client_.place = AddressLimits::Place(limits, *address);
  return Door::kOpen;
}

void Reception::RefuseAtDoor() {
  switch (door_) {
    case Door::kOpen:
      return;
    case Door::kFull:
      Refuse(503, "limits.connections is reached", HandshakeResult::kLimit, kRetryAfterSeconds);
      return;
    case Door::kAddressFull:
      Refuse(429, "limits.connections_per_ip is reached", HandshakeResult::kAddressLimit,
             kRetryAfterSeconds);
      return;
    case Door::kTooFast:
      Refuse(429, "limits.handshakes_per_second_per_ip is reached", HandshakeResult::kRate, 1);
      return;
  }
}

void Reception::CountTls() {
  if (!first_ || std::exchange(tls_counted_, true)) return;
  worker_.CountTlsHandshake(Side::kClient, *client_.conn);
}

// Who has just come, or is saying what he wants, gets an answer; who only waits for his next wish
// does not hold up the end.
void Reception::OnDrain(TimePoint /*at*/) noexcept {
  if (first_ || heard_) {
    worker_.loop().timers().ArmAtLatest(timer_, worker_.now() + kLastChance);
  } else if (client_ && client_.conn->queued() > 0) {
    SayFarewell(worker_, std::move(client_), {});  // the rest of its last answer
    Retire();
  } else {
    Leave();
  }
}

void Reception::OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> data) noexcept {
  if (!client_) return;
  if (proxy_) {
    ReadProxyHeader(data);
    return;
  }
  CountTls();
  Read(data);
}

void Reception::Read(std::span<const std::uint8_t> data) {
  if (!heard_ && !first_) {
    worker_.loop().timers().Arm(timer_, worker_.now() + worker_.config().limits.handshake_timeout);
  }
  heard_ = true;
  if (door_ != Door::kOpen) {
    RefuseAtDoor();
    return;
  }
  const RequestReader::Result result = reader_.Feed(data);
  if (result.status == RequestReader::Status::kError) {
    Refuse(result.http_status, result.why, HandshakeResult::kBadRequest);
  } else if (result.status == RequestReader::Status::kHead) {
    Dispatch(data.subspan(result.taken));
  }
}

// A client that asks on and on without taking its answers waits for its next one.
bool Reception::ReadsTooLittle() const {
  return client_.conn->queued() > worker_.config().limits.buffer / 2;
}

void Reception::OnProgress(Conn& /*conn*/) noexcept {
  if (!client_ || !client_.conn->paused() || ReadsTooLittle()) return;
  client_.conn->Resume();
  if (!early_.empty()) Read(std::exchange(early_, {}));
}

void Reception::OnEnd(Conn& conn, ConnEnd /*end*/) noexcept {
  NoteTlsEnd(conn.tls_error());
  Leave();
}

// Nothing was asked. The handshake may have had its end all the same.
void Reception::NoteTlsEnd(const std::string& why) {
  if (!first_ || tls_counted_ || !client_.conn || client_.conn->tls() == nullptr) return;
  if (client_.conn->tls()->opened()) {
    CountTls();
    return;
  }
  worker_.metrics().tls_handshakes[Side::kClient][TlsHandshake::kFailed].Add();
  Log(LogLevel::kInfo, "tls_failed",
      {{"client", client_.ip}, {"why", why.empty() ? "the peer broke the connection" : why}});
}

void Reception::Dispatch(std::span<const std::uint8_t> rest) {
  const RequestHead& head = reader_.head();
  std::optional<Matched> matched = MatchRoute(worker_.config(), head);
  if (!matched) {
    Refuse(404, "no route matches this request", HandshakeResult::kNotFound);
    return;
  }
  const bool upgrade = IsWebSocketUpgrade(head);
  const std::optional<Refusal> refusal = upgrade ? CheckWebSocketUpgrade(head) : std::nullopt;
  if (refusal) {
    Refuse(refusal->status, refusal->why, HandshakeResult::kBadRequest);
    return;
  }
  // It came by a trusted proxy, whose other clients are not to suffer for this one.
  if (!client_.place && upgrade) {
    door_ = Knock(AddressOf(worker_.config(), client_, head));
    if (door_ != Door::kOpen) {
      RefuseAtDoor();
      return;
    }
  }
  Newcomer newcomer{worker_.generation(),
                    std::move(client_),
                    *std::move(matched),
                    std::move(reader_),
                    rest,
                    upgrade};
  Receive(worker_, std::move(newcomer));
  Retire();
}

void Reception::Refuse(int status, std::string_view why, HandshakeResult result, int retry_after) {
  worker_.metrics().unrouted().handshakes[result].Add();
  const std::string ip = AddressOf(worker_.config(), client_, reader_.head());
  const TraceContext trace = TraceContext::Of(reader_.head().fields);  // none begins here
  const std::string target = TargetForLog(worker_.config(), reader_.head());
  RefuseClient(worker_, std::move(client_), status, why,
               {.client = ip,
                .trace = trace.id(),
                .target = target,
                .head_only = reader_.head().method == "HEAD",
                .retry_after = retry_after});
  Leave();
}

void Reception::TimeOut() {
  if (!client_) return;
  if (heard_ && !worker_.shutting_down()) {
    Refuse(408, "no whole request head within limits.handshake_timeout", HandshakeResult::kSlow);
  } else {
    const std::string why = client_.conn ? client_.conn->tls_error() : std::string();
    NoteTlsEnd(why.empty() ? "no end of the handshake within limits.handshake_timeout" : why);
    Leave();  // a connection on which nothing was asked gets no answer
  }
}

void Reception::Leave() {
  client_.Drop();
  Retire();
}

}  // namespace connguard
