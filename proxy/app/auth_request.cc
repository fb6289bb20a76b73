// The sub-request and what follows from its answer.
#include "app/auth_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "app/farewell.h"
#include "app/refusal.h"
#include "app/tracing.h"
#include "app/worker.h"
#include "http/forwarding.h"
#include "http/text.h"
#include "log/log.h"

namespace connguard {

namespace {

// Of a 401's or 403's body. A longer one is not passed on.
constexpr Bytes kLongestBody = 64 * 1024;

// What describes the body and the upgrade of the request itself is not the sub-request's, nor are
// its conditions: a 304 or 206 would be the answer to another question.
bool IsOfTheRequestAlone(std::string_view name) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Trailer",
       "Expect", "Upgrade", "X-Forwarded-Method", "X-Forwarded-Uri", "Range", "If-Range",
       "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"});
  return EqualsIgnoringCase(name.substr(0, 14), "Sec-WebSocket-") ||
         std::ranges::any_of(
             kNames, [name](std::string_view other) { return EqualsIgnoringCase(name, other); });
}

}  // namespace

AuthRequest::AuthRequest(Worker& worker, Newcomer newcomer)
    : Session(worker, newcomer.generation),
      newcomer_(std::move(newcomer)),
      early_(newcomer_.rest.begin(), newcomer_.rest.end()),
      held_(worker),
      dial_(worker, *generation_, forward().upstream),
      answer_(config().limits.header_size),
      timer_(
          [](void* self) noexcept {
            static_cast<AuthRequest*>(self)->Fail("no answer within auth.forward.timeout");
          },
          this),
      attempt_timer_(
          [](void* self) noexcept {
            static_cast<AuthRequest*>(self)->upstream_.reset();
            static_cast<AuthRequest*>(self)->Dial();
          },
          this) {
  held_.Set(early_.size());
}

// What the client's version cannot read leaves the body with its head.
void AuthRequest::ExpectAnswer() {
  answer_ = ResponseReader(config().limits.header_size);
  body_.clear();
  if (newcomer_.request.head().version >= 11) return;
  answer_.SetDataSink([this](std::string_view data) { body_.append(data); });
}

void AuthRequest::Start() noexcept {
  newcomer_.client.conn->set_handler(this);
  worker_.loop().timers().Arm(timer_, worker_.now() + forward().timeout);
  ExpectAnswer();
  Dial();
}

void AuthRequest::Dial() {
  upstream_ = dial_.Next(this);
  worker_.loop().timers().Arm(attempt_timer_, dial_.deadline());
  if (upstream_ == nullptr) Fail("the auth URL cannot be reached");
}

std::string AuthRequest::Question() const {
  const RequestHead& head = newcomer_.request.head();
  const UpstreamConfig& upstream = config().upstreams[forward().upstream];
  RequestHead question;
  question.method = "GET";
  question.target = forward().target;
  question.version = 11;
  for (const Field& field : head.fields) {
    if (!IsOfTheRequestAlone(field.name) && !EqualsIgnoringCase(field.name, "Host")) {
      question.fields.push_back(field);
    }
  }
  const std::string host = HostOf(upstream);
  question.fields.push_back({"Host", host});
  const TraceContext trace = TraceOf(head, upstream);
  RequestHop hop = HopOf(config(), newcomer_.client, head, upstream, trace);
  hop.close = true;
  const RequestTarget asked = TargetOf(head);
  hop.added = newcomer_.matched.added_headers;
  hop.added.push_back({"X-Forwarded-Method", head.method});
  hop.added.push_back({"X-Forwarded-Uri", asked.target});
  hop.forwarded_host = asked.host;
  RemoveCertificateFields(config(), hop);
  return ForwardRequest(question, hop);
}

void AuthRequest::OnConnected(Conn& conn) noexcept {
  dial_.Done(conn);
  worker_.loop().timers().Disarm(attempt_timer_);
  conn.Send(Question());
}

void AuthRequest::OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept {
  if (&conn == upstream_.get()) {
    ReadAnswer(data);
    return;
  }
  early_.insert(early_.end(), data.begin(), data.end());
  held_.Set(early_.size());
  if (early_.size() > config().limits.buffer) conn.Pause();
}

void AuthRequest::ReadAnswer(std::span<const std::uint8_t> data) {
  while (true) {
    const ResponseReader::Result result = answer_.Feed(data);
    if (newcomer_.request.head().version >= 11) {
      body_.append(result.held);
      body_.append(reinterpret_cast<const char*>(data.data()), result.pass);
    }
    if (body_.size() > kLongestBody) {
      Fail("its refusal is longer than 64KiB");
      return;
    }
    data = data.subspan(result.taken);
    switch (result.status) {
      case ResponseReader::Status::kNeedMore:
        return;
      case ResponseReader::Status::kError:
        Fail(result.why);
        return;
      case ResponseReader::Status::kHead: {
        const int status = answer_.head().status;
        answered_ = status >= 200;
        if (answered_ && status != 401 && status != 403) {
          Decide();
          return;
        }
        break;
      }
      case ResponseReader::Status::kBody:
        if (data.empty()) return;
        break;
      case ResponseReader::Status::kDone:
        if (answered_) {
          PassOn();
          return;
        }
        ExpectAnswer();  // it was a 1xx
        break;
    }
  }
}

void AuthRequest::Decide() {
  const ResponseHead& head = answer_.head();
  if (head.status >= 300) {
    Fail("its answer was " + std::to_string(head.status));
    return;
  }
  for (const std::string& name : forward().headers) {
    for (const Field& field : head.fields) {
      if (EqualsIgnoringCase(field.name, name)) {
        newcomer_.matched.added_headers.push_back({name, std::string(field.value)});
      }
    }
  }
  newcomer_.rest = early_;
  newcomer_.client.conn->Resume();
  Enter(worker_, std::move(newcomer_));
  Leave();
}

void AuthRequest::PassOn() {
  const RequestHead& request = newcomer_.request.head();
  const ResponseHead& head = answer_.head();
  CountRefusal(generation_->MetricsOf(*newcomer_.matched.route), request, head.status,
               head.status == 401 ? HandshakeResult::kUnauthorized : HandshakeResult::kForbidden);
  const std::string id = worker_.NewRequestId();
  const std::string address = AddressOf(config(), newcomer_.client, request);
  const TraceContext trace = TraceContext::Of(request.fields);
  const std::string target = TargetForLog(config(), request);
  TellOfRefusal(worker_, head.status, "by auth.forward", id,
                {.client = address,
                 .route = newcomer_.matched.route->name,
                 .trace = trace.id(),
                 .target = target});
  const std::string answer =
      ForwardResponse(head, {.close = true, .client_version = request.version}) +
      (request.method == "HEAD" ? std::string() : body_);
  SayFarewell(worker_, std::exchange(newcomer_.client, Client{}), answer);
  Leave();
}

void AuthRequest::Fail(std::string_view why) {
  if (!newcomer_.client) return;
  const std::string_view url = config().upstreams[forward().upstream].url;
  Log(LogLevel::kWarn, "auth_failed",
      {{"route", newcomer_.matched.route->name},
       {"url", url.substr(0, url.find('?'))},
       {"why", why}});
  Newcomer newcomer = std::move(newcomer_);
  newcomer_.client = Client{};
  Reject(worker_, std::move(newcomer),
         {503, "whether this request may pass cannot be found out now",
          HandshakeResult::kAuthUnavailable});
  Leave();
}

void AuthRequest::OnCut() noexcept {
  if (!newcomer_.client) return;
  Reject(worker_, std::move(newcomer_),
         {503, std::string(kWhyStopping), HandshakeResult::kShutdown});
  Leave();
}

void AuthRequest::OnEnd(Conn& conn, ConnEnd end) noexcept {
  if (&conn != upstream_.get()) {
    if (newcomer_.upgrade) {
      generation_->MetricsOf(*newcomer_.matched.route)
          .handshakes[HandshakeResult::kClientLeft]
          .Add();
    }
    Leave();
    return;
  }
  const std::string tls_error = conn.tls_error();
  const bool failed = dial_.Failed(conn, end);
  upstream_.reset();
  if (failed) {
    Dial();
  } else if (end == ConnEnd::kFin && answered_ &&
             answer_.End().status == ResponseReader::Status::kDone) {
    PassOn();
  } else {
    Fail(tls_error.empty() ? "it ended without an answer" : tls_error);
  }
}

void AuthRequest::Leave() {
  worker_.loop().timers().Disarm(attempt_timer_);  // it would dial for a client who has gone
  newcomer_.client.Drop();
  upstream_.reset();
  Retire();
}

}  // namespace connguard
