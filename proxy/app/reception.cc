// From accept to route.
#include "app/reception.h"

#include <utility>

#include "app/farewell.h"
#include "app/http_session.h"
#include "app/websocket_session.h"
#include "app/worker.h"
#include "config/route_match.h"
#include "log/log.h"

namespace connguard {

Reception::Reception(Worker& worker, Fd fd, std::string ip, std::unique_ptr<Presence> presence,
                     bool full)
    : Session(worker),
      fd_(std::move(fd)),
      client_{std::move(presence), nullptr, std::move(ip)},
      full_(full),
      reader_(worker.config().limits.header_size),
      timer_(
          [](void* self) noexcept {
            static_cast<Reception*>(self)->Refuse(
                408, "no whole request head within limits.handshake_timeout",
                HandshakeResult::kLimit);
          },
          this) {}

void Reception::Start() noexcept {
  client_.conn = worker_.transport().Adopt(fd_.Take(), this, false);
  if (!client_) {
    Retire();
    return;
  }
  worker_.loop().timers().Arm(timer_, worker_.now() + worker_.config().limits.handshake_timeout);
}

void Reception::OnShutdown() noexcept {
  client_.Drop();
  Retire();
}

void Reception::OnConnected(Conn& /*conn*/) noexcept {}

void Reception::OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> data) noexcept {
  if (!client_) return;
  heard_ = true;
  if (full_) {
    Refuse(503, "limits.connections is reached", HandshakeResult::kLimit);
    return;
  }
  const RequestReader::Result result = reader_.Feed(data);
  if (result.status == RequestReader::Status::kError) {
    Refuse(result.http_status, result.why, HandshakeResult::kBadRequest);
  } else if (result.status == RequestReader::Status::kHead) {
    Dispatch(data.subspan(result.taken));
  }
}

void Reception::OnProgress(Conn& /*conn*/) noexcept {}

void Reception::OnEnd(Conn& /*conn*/, ConnEnd /*end*/) noexcept {
  client_.Drop();
  Retire();
}

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
    worker_.Admit(std::make_unique<HttpSession>(worker_, std::move(client_), *matched->route,
                                                std::move(reader_), rest));
  }
  Retire();
}

void Reception::Refuse(int status, std::string_view why, HandshakeResult result) {
  if (!client_) return;
  if (heard_) {
    worker_.metrics().unrouted().handshakes[result].Add();
    Log(LogLevel::kInfo, "refused", {{"client", client_.ip}, {"status", status}, {"why", why}});
    SayFarewell(worker_, std::move(client_), ProblemResponse(status, why));
  } else {
    // A connection on which nothing was ever asked gets no answer.
    client_.Drop();
  }
  Retire();
}

}  // namespace connguard
