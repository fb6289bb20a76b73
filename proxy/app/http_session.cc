// Plain HTTP: request up, answer down, then the end.
#include "app/http_session.h"

#include <algorithm>
#include <utility>

#include "app/farewell.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

HttpSession::HttpSession(Worker& worker, Client client, const RouteConfig& route,
                         RequestReader request, std::span<const std::uint8_t> rest)
    : Session(worker),
      route_(route),
      client_(std::move(client)),
      request_(std::move(request)),
      early_(rest.begin(), rest.end()),
      dial_(worker, route.upstream),
      timer_([](void* self) noexcept { static_cast<HttpSession*>(self)->Tick(); }, this) {}

void HttpSession::Start() noexcept {
  client_.conn->set_handler(this);
  client_.conn->Pause();  // until there is somebody to give the body to
  DialNext();
  Arm();
}

void HttpSession::DialNext() {
  upstream_ = dial_.Next(this);
  if (upstream_ == nullptr) Refuse(502, "the upstream cannot be reached");
}

void HttpSession::OnConnected(Conn& /*conn*/) noexcept {
  dial_.Done();
  connected_ = true;
  answer_deadline_ = worker_.now() + worker_.config().upstreams[route_.upstream].handshake_timeout;
  NewAnswer();
  const RequestHead head =
      ForwardRequest(request_.head(), ClientInfo{client_.ip, false}, Hop::kPlain, false);
  const std::string text = Serialize(head);
  upstream_->Send({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  client_.conn->Resume();
  ReadBody(std::exchange(early_, {}));
  Arm();
}

void HttpSession::NewAnswer() {
  answer_.emplace(worker_.config().limits.header_size);
  if (request_.head().method == "HEAD") answer_->ExpectNoBody();
}

void HttpSession::OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept {
  if (closed_) return;
  if (&conn != client_.conn.get()) {
    ReadAnswer(data);
  } else if (connected_) {
    ReadBody(data);
  } else {
    early_.insert(early_.end(), data.begin(), data.end());
  }
  if (!closed_) Arm();
}

void HttpSession::ReadBody(std::span<const std::uint8_t> data) {
  if (request_done_) return;  // a pipelined request: the connection ends with this answer
  const RequestReader::Result result = request_.Feed(data);
  if (result.status == RequestReader::Status::kError) {
    Fail(result.http_status, result.why);
    return;
  }
  metrics().bytes_up.Add(result.taken);
  upstream_->Send(data.first(result.taken));
  request_done_ = result.status == RequestReader::Status::kDone;
  Balance(*client_.conn, *upstream_);
}

void HttpSession::ReadAnswer(std::span<const std::uint8_t> data) {
  while (!closed_) {
    const ResponseReader::Result result = answer_->Feed(data);
    const std::span<const std::uint8_t> taken = data.first(result.taken);
    data = data.subspan(result.taken);
    switch (result.status) {
      case ResponseReader::Status::kNeedMore:
        return;
      case ResponseReader::Status::kError:
        Fail(502, result.why);
        return;
      case ResponseReader::Status::kHead:
        if (answer_->head().status == 101) {
          Fail(502, "the upstream switched protocols unasked");
          return;
        }
        PassHead(answer_->head());
        break;
      case ResponseReader::Status::kBody:
      case ResponseReader::Status::kDone:
        metrics().bytes_down.Add(taken.size());
        client_.conn->Send(taken);
        Balance(*upstream_, *client_.conn);
        if (result.status == ResponseReader::Status::kBody) {
          if (data.empty()) return;
        } else if (answering_) {
          Finish();
        } else {
          NewAnswer();  // it was a 1xx
        }
        break;
    }
  }
}

void HttpSession::PassHead(const ResponseHead& head) {
  answering_ = head.status >= 200;
  if (answering_) {
    answer_deadline_ = kNever;
    metrics().http_requests[ClassOf(head.status)].Add();
  }
  const std::string text =
      Serialize(ForwardResponse(head, answering_ ? Hop::kPlain : Hop::kUpgrade));
  client_.conn->Send({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

void HttpSession::Refuse(int status, std::string_view why) {
  metrics().http_requests[ClassOf(status)].Add();
  Log(LogLevel::kInfo, "refused",
      {{"client", client_.ip}, {"route", route_.name}, {"status", status}, {"why", why}});
  std::string answer = ProblemResponse(status, why);
  // An answer to HEAD ends with its head (RFC 9110 §9.3.2).
  if (request_.head().method == "HEAD") answer.resize(answer.find("\r\n\r\n") + 4);
  SayFarewell(worker_, std::exchange(client_, Client{}), answer);
  Close();
}

void HttpSession::Fail(int status, std::string_view why) {
  if (!answering_) {
    Refuse(status, why);
    return;
  }
  if (client_) client_.conn->Reset();  // half an answer must not look whole
  Close();
}

void HttpSession::Finish() {
  SayFarewell(worker_, std::exchange(client_, Client{}), {});
  Close();
}

void HttpSession::Close() {
  closed_ = true;
  upstream_.reset();
  client_.Drop();
  Retire();
}

void HttpSession::Balance(Conn& source, const Conn& sink) const {
  const Bytes high = worker_.config().limits.buffer;
  if (sink.queued() > high) {
    source.Pause();
  } else if (sink.queued() <= high / 2) {
    source.Resume();
  }
}

void HttpSession::OnProgress(Conn& conn) noexcept {
  if (closed_ || !connected_) return;
  if (&conn == client_.conn.get()) {
    Balance(*upstream_, *client_.conn);
  } else {
    Balance(*client_.conn, *upstream_);
  }
}

void HttpSession::OnEnd(Conn& conn, ConnEnd end) noexcept {
  if (closed_) return;
  if (&conn == client_.conn.get()) {
    Close();
  } else if (end == ConnEnd::kUnreachable) {
    DialNext();
  } else if (answering_ && end == ConnEnd::kFin &&
             answer_->End().status == ResponseReader::Status::kDone) {
    Finish();
  } else {
    Fail(502, "the upstream ended without an answer");
  }
  if (!closed_) Arm();
}

void HttpSession::Tick() {
  if (closed_) return;
  const TimePoint now = worker_.now();
  if (now >= dial_.deadline()) {
    upstream_.reset();
    DialNext();
  } else if (now >= answer_deadline_) {
    Fail(504, "no answer within upstreams[].handshake_timeout");
  }
  if (!closed_) Arm();
}

void HttpSession::Arm() {
  worker_.loop().timers().ArmAtLatest(timer_, std::min(dial_.deadline(), answer_deadline_));
}

RouteMetrics& HttpSession::metrics() {
  return worker_.metrics().route(
      static_cast<std::size_t>(&route_ - worker_.config().routes.data()));
}

}  // namespace connguard
