// HttpSession: one plain HTTP request and its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/metrics.h"
#include "app/client.h"
#include "app/fences.h"
#include "app/session.h"
#include "app/upstream_dial.h"
#include "config/route_match.h"
#include "connguard/config.h"
#include "http/message.h"
#include "net/timing_wheel.h"

namespace connguard {

// Streams both bodies as they come, framing included, with bounded buffers. Afterwards the client
// goes back to a Reception and the upstream's connection to the pool, where both may go on. A
// client that leaves cancels its request, unless the route fences requests of its method: then, by
// session.on_drop, the answer is read to its end before the key is free.
//
// http_session.cc: the request, up to its last byte, and the clocks. http_answer.cc: the answer and
// all ends.
class HttpSession : public Session {
 public:
  // `matched` is of `generation`; `request` has its head; `rest`: what came behind it.
  HttpSession(Worker& worker, std::shared_ptr<const Generation> generation, Client client,
              const Matched& matched, RequestReader request, std::span<const std::uint8_t> rest);

  void Start() noexcept override;
  bool OnFence(const FenceEffect& effect) noexcept override;
  void OnDrain(TimePoint at) noexcept override;
  void OnCut() noexcept override;
  Bytes buffered() const override;
  void OnPressure() noexcept override;
  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  // The request.
  bool TakeKey();
  void Connect();
  void DialNext();
  void BeginRequest();
  void ReadClient(std::span<const std::uint8_t> data);
  void PassBody(std::string head, std::span<const std::uint8_t> data);
  void BalanceClient();
  void BalanceUpstream();
  bool ClientIsAwaited() const;
  void Tick();
  void Arm();

  // The answer.
  void NewAnswer();
  void ReadAnswer(std::span<const std::uint8_t> data);
  void TakeHead(const ResponseHead& head);
  void SendDown(std::span<const std::uint8_t> data);
  void LoseUpstream(ConnEnd end);

  // Ends.
  void Finish();
  void Refuse(int status, std::string_view why, int retry_after = 0);
  void Fail(int status, std::string_view why);
  void Evict();
  void CutClient();
  void LoseClient();
  void Shield();
  void Cancel();
  void EndLease(bool dropped);
  void Close();
  RouteMetrics& metrics() { return generation_->MetricsOf(route_); }

  const Matched matched_;
  const RouteConfig& route_;
  const UpstreamConfig& upstream_config_;
  Client client_;
  std::string address_;  // the client's, for the key and the log
  TraceContext trace_;
  FenceClient fence_;
  Epoch epoch_ = Epoch::kNone;  // of the lease, while it is held
  bool waiting_ = false;        // for the fence
  RequestReader request_;
  std::vector<std::uint8_t> early_;  // of the body, until the upstream is connected
  std::vector<std::uint8_t> next_;   // behind the request: the next one's
  Bytes body_size_ = 0;              // seen, without chunk headers; only counted where limited
  HeldBytes held_;                   // early_ and next_
  UpstreamDial dial_;
  std::unique_ptr<Conn> upstream_;
  std::optional<ResponseReader> answer_;
  std::string down_;         // heads of answers, about to be sent
  int status_ = 0;           // of the answer; 0: none yet
  bool repeatable_ = false;  // may be sent again when a used connection turns out dead
  bool retried_ = false;
  bool reused_ = false;  // the connection has carried another request
  bool dial_timed_out_ = false;
  bool connected_ = false;
  bool request_done_ = false;
  bool awaits_continue_ = false;  // the client will not send its body before a 100
  bool heard_ = false;            // some byte of an answer has come
  bool answering_ = false;        // the final head is on its way to the client
  bool unchunk_ = false;          // the client is of HTTP/1.0
  bool keep_client_ = false;
  bool keep_upstream_ = false;
  bool closed_ = false;
  TimePoint wait_deadline_ = kNever;
  TimePoint answer_deadline_ = kNever;
  TimePoint client_deadline_ = kNever;
  TimePoint shield_began_ = kNever;  // set: the client is gone, the answer is read to its end
  Timer timer_;
};

}  // namespace connguard
