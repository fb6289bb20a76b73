// From accept, or from the last answer, to the route.
#include "app/reception.h"

#include <utility>

#include "app/farewell.h"
#include "app/http_session.h"
#include "app/refusal.h"
#include "app/websocket_session.h"
#include "app/worker.h"
#include "config/route_match.h"

namespace connguard {

namespace {

// For what is on its way already when the guard is stopped.
constexpr Millis kLastChance{1'000};

}  // namespace

Reception::Reception(Worker& worker, Fd fd, Client client, bool full)
    : Session(worker),
      fd_(std::move(fd)),
      client_(std::move(client)),
      full_(full),
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
    client_.conn = worker_.transport().Adopt(fd_.Take(), this, false);
    if (!client_) {
      Leave();
      return;
    }
    worker_.loop().timers().Arm(timer_, worker_.now() + limits.handshake_timeout);
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
  if (client_) Read(data);
}

void Reception::Read(std::span<const std::uint8_t> data) {
  if (!heard_ && !first_) {
    worker_.loop().timers().Arm(timer_, worker_.now() + worker_.config().limits.handshake_timeout);
  }
  heard_ = true;
  if (full_) {
    Refuse(503, "limits.connections is reached", HandshakeResult::kLimit, kRetryAfterSeconds);
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

void Reception::OnEnd(Conn& /*conn*/, ConnEnd /*end*/) noexcept { Leave(); }

void Reception::Dispatch(std::span<const std::uint8_t> rest) {
  const RequestHead& head = reader_.head();
  const std::optional<Matched> matched = MatchRoute(worker_.config(), head);
  if (!matched) {
    Refuse(404, "no route matches this request", HandshakeResult::kNotFound);
    return;
  }
  if (IsWebSocketUpgrade(head)) {
    if (const std::optional<Refusal> refusal = CheckWebSocketUpgrade(head)) {
      Refuse(refusal->status, refusal->why, HandshakeResult::kBadRequest);
      return;
    }
    worker_.Admit(
        std::make_unique<WebSocketSession>(worker_, std::move(client_), *matched, head, rest));
  } else {
    worker_.Admit(std::make_unique<HttpSession>(worker_, std::move(client_), *matched,
                                                std::move(reader_), rest));
  }
  Retire();
}

void Reception::Refuse(int status, std::string_view why, HandshakeResult result, int retry_after) {
  worker_.metrics().unrouted().handshakes[result].Add();
  const std::string ip = client_.ip;
  const TraceContext trace = TraceContext::Of(reader_.head().fields);  // none begins here
  RefuseClient(worker_, std::move(client_), status, why,
               {.client = ip,
                .trace = trace.id(),
                .head_only = reader_.head().method == "HEAD",
                .retry_after = retry_after});
  Leave();
}

void Reception::TimeOut() {
  if (!client_) return;
  if (heard_ && !worker_.shutting_down()) {
    Refuse(408, "no whole request head within limits.handshake_timeout", HandshakeResult::kLimit);
  } else {
    Leave();  // a connection on which nothing was asked gets no answer
  }
}

void Reception::Leave() {
  client_.Drop();
  Retire();
}

}  // namespace connguard
