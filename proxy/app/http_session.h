// HttpSession: one plain HTTP request and its answer.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "admin/metrics.h"
#include "app/client.h"
#include "app/session.h"
#include "app/upstream_dial.h"
#include "connguard/config.h"
#include "http/message.h"
#include "net/timing_wheel.h"

namespace connguard {

// Streams both bodies as they come, framing included, with bounded buffers; the connection ends
// with the answer. A client that leaves cancels the request.
class HttpSession : public Session {
 public:
  // `request` has its head; `rest`: what came behind it.
  HttpSession(Worker& worker, Client client, const RouteConfig& route, RequestReader request,
              std::span<const std::uint8_t> rest);

  void Start() noexcept override;
  void OnShutdown() noexcept override {}  // an answer under way is finished
  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  void DialNext();
  void ReadBody(std::span<const std::uint8_t> data);
  void ReadAnswer(std::span<const std::uint8_t> data);
  void NewAnswer();
  void PassHead(const ResponseHead& head);
  void Refuse(int status, std::string_view why);
  void Fail(int status, std::string_view why);
  void Finish();
  void Close();
  void Balance(Conn& source, const Conn& sink) const;
  void Tick();
  void Arm();
  RouteMetrics& metrics();

  const RouteConfig& route_;
  Client client_;
  RequestReader request_;
  std::vector<std::uint8_t> early_;  // of the body, until the upstream is connected
  UpstreamDial dial_;
  std::unique_ptr<Conn> upstream_;
  bool connected_ = false;
  std::optional<ResponseReader> answer_;
  bool request_done_ = false;
  bool answering_ = false;  // the final head has gone to the client
  bool closed_ = false;
  TimePoint answer_deadline_ = kNever;
  Timer timer_;
};

}  // namespace connguard
