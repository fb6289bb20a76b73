// A plain request's answer on its way down, and every way in which the two can end.
#include <utility>

#include "app/farewell.h"
#include "app/http_session.h"
#include "app/lease_end.h"
#include "app/reception.h"
#include "app/refusal.h"
#include "app/worker.h"
#include "http/forwarding.h"
#include "log/log.h"

namespace connguard {

void HttpSession::NewAnswer() {
  answer_.emplace(config().limits.header_size);
  if (request_.head().method == "HEAD") answer_->ExpectNoBody();
}

void HttpSession::ReadAnswer(std::span<const std::uint8_t> data) {
  heard_ = true;
  while (!closed_) {
    const ResponseReader::Result result = answer_->Feed(data);
    const std::span<const std::uint8_t> sound = data.first(result.pass);
    data = data.subspan(result.taken);
    switch (result.status) {
      case ResponseReader::Status::kNeedMore:
        SendDown({});
        BalanceUpstream();
        return;
      case ResponseReader::Status::kError:
        Fail(502, result.why);
        return;
      case ResponseReader::Status::kHead:
        if (answer_->head().status == 101) {
          Fail(502, "the upstream switched protocols unasked");
          return;
        }
        TakeHead(answer_->head());
        break;
      case ResponseReader::Status::kBody:
      case ResponseReader::Status::kDone:
        if (!unchunk_) down_ += result.held;
        SendDown(unchunk_ ? std::span<const std::uint8_t>() : sound);
        if (result.status == ResponseReader::Status::kBody) {
          BalanceUpstream();
          return;
        }
        if (!answering_) {
          NewAnswer();  // it was a 1xx
          break;
        }
        keep_upstream_ = keep_upstream_ && data.empty();  // more than the answer: out of step
        Finish();
        return;
    }
  }
}

void HttpSession::TakeHead(const ResponseHead& head) {
  const RequestHead& request = request_.head();
  if (head.status < 200) {
    awaits_continue_ = false;
    if (request.version >= 11) down_ += ForwardResponse(head, {.via = upstream_config_.via});
    return;  // HTTP/1.0 knows no interim answers (RFC 9110 §15.2)
  }
  answering_ = true;
  answer_deadline_ = kNever;
  if (status_ == 0) status_ = head.status;  // else the client was told something else
  unchunk_ = request.version < 11 && answer_->chunked();
  if (unchunk_) answer_->SetDataSink([this](std::string_view data) { SendDown(AsBytes(data)); });
  if (answer_->until_close() || unchunk_ || !request_done_ || worker_.shutting_down()) {
    keep_client_ = false;
  }
  keep_upstream_ = head.version >= 11 && !answer_->until_close() &&
                   !HasToken(head.fields, "Connection", "close");
  down_ += ForwardResponse(
      head,
      {.close = !keep_client_, .client_version = request.version, .via = upstream_config_.via});
}

// Heads that wait, and `data` behind them, in one write.
void HttpSession::SendDown(std::span<const std::uint8_t> data) {
  metrics().bytes_down.Add(down_.size() + data.size());
  if (client_) client_.conn->Send(down_, data);
  down_.clear();
}

void HttpSession::LoseUpstream(ConnEnd end) {
  if (!heard_ && reused_ && repeatable_ && !retried_) {
    // It was being closed while the request was under way: the upstream has not seen it.
    worker_.metrics().upstream_retries.Add();
    retried_ = true;
    connected_ = false;
    upstream_.reset();
    answer_deadline_ = kNever;
    Connect();
  } else if (answering_ && end == ConnEnd::kFin &&
             answer_->End().status == ResponseReader::Status::kDone) {
    Finish();
  } else {
    Fail(502, end == ConnEnd::kReset       ? "the upstream reset the connection"
              : end == ConnEnd::kTimedOut  ? "the upstream has vanished"
              : end == ConnEnd::kTlsFailed ? "the upstream's TLS was cut or broken"
                                           : "the upstream ended without an answer");
  }
}

// --- ends

void HttpSession::Finish() {
  const bool shielded = shield_began_ != kNever;
  if (keep_upstream_ && request_done_ && !shielded && upstream_->queued() == 0) {
    worker_.pool().Put(*generation_->places[route_.upstream], std::move(upstream_));
  }
  upstream_.reset();
  EndLease(shielded);
  Client client = std::exchange(client_, Client{});
  std::vector<std::uint8_t> next = std::move(next_);
  Close();
  if (!client) return;
  if (keep_client_ && !worker_.shutting_down()) {
    worker_.Admit(std::make_unique<Reception>(worker_, std::move(client), std::move(next)));
  } else {
    SayFarewell(worker_, std::move(client), {});
  }
}

void HttpSession::Refuse(int status, std::string_view why, int retry_after) {
  status_ = status;
  const std::string target = TargetForLog(config(), request_.head());
  RefuseClient(worker_, std::exchange(client_, Client{}), status, why,
               {.client = address_,
                .route = route_.name,
                .client_key = fence_.client_key(),
                .trace = trace_.id(),
                .target = target,
                .head_only = request_.head().method == "HEAD",
                .retry_after = retry_after});
  Cancel();
}

void HttpSession::Fail(int status, std::string_view why) {
  const bool head_waits = !down_.empty();
  down_.clear();
  if (!answering_ || head_waits) {
    Refuse(status, why);
    return;
  }
  Log(LogLevel::kInfo, "answer_cut",
      {{"client", address_},
       {"route", route_.name},
       {"status", status_},
       {"why", why},
       {"trace", trace_.id()}});
  if (client_) client_.conn->Reset();  // half an answer must not look whole
  Cancel();
}

// A newer client takes this one's place.
void HttpSession::Evict() {
  if (answering_) {
    CutClient();
    return;
  }
  status_ = 409;
  const std::string target = TargetForLog(config(), request_.head());
  RefuseClient(worker_, std::exchange(client_, Client{}), status_, kWhySuperseded,
               {.client = address_,
                .route = route_.name,
                .client_key = fence_.client_key(),
                .trace = trace_.id(),
                .target = target});
  LoseClient();
}

// What it has got of its answer must not look whole.
void HttpSession::CutClient() {
  client_.conn->Reset();
  client_.Drop();
  LoseClient();
}

// The client is gone.
void HttpSession::LoseClient() {
  const bool finish = epoch_ != Epoch::kNone && route_.session.on_drop == OnDrop::kFinish;
  if (finish && connected_ && request_done_) {
    Shield();
  } else {
    Cancel();
  }
}

void HttpSession::Shield() {
  shield_began_ = worker_.now();
  fence_.Dropped(epoch_);
  metrics().tunnels[TunnelPhase::kShielded].Add();
  BalanceUpstream();  // nobody is slow any more
}

void HttpSession::Cancel() {
  if (waiting_) fence_.Abandon();
  waiting_ = false;
  upstream_.reset();
  EndLease(connected_);
  Close();
}

// `dropped`: the backend may not know yet that the request is over.
void HttpSession::EndLease(bool dropped) {
  if (shield_began_ != kNever) {
    metrics().tunnels[TunnelPhase::kShielded].Sub();
    const auto shielded = worker_.now() - shield_began_;
    metrics().shield.Observe(shielded);
    Log(LogLevel::kInfo, "request_shielded",
        {{"client", address_},
         {"route", route_.name},
         {"key", fence_.log_key()},
         {"epoch", static_cast<std::uint64_t>(epoch_)},
         {"status", status_},
         {"shield_ms", std::chrono::duration_cast<Millis>(shielded)},
         {"trace", trace_.id()}});
  }
  if (epoch_ == Epoch::kNone) return;
  const Epoch epoch = std::exchange(epoch_, Epoch::kNone);
  if (!dropped) {
    fence_.Release(epoch);
    return;
  }
  if (shield_began_ == kNever) fence_.Dropped(epoch);
  worker_.Admit(std::make_unique<LeaseEnd>(worker_, generation_, fence_, epoch, route_));
}

void HttpSession::Close() {
  if (status_ != 0) metrics().http_requests[ClassOf(status_)].Add();
  closed_ = true;
  client_.Drop();
  Retire();
}

}  // namespace connguard
