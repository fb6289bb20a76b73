// AuthRequest: asks routes[].auth.forward whether a request is to be admitted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/admission.h"
#include "app/session.h"
#include "app/upstream_dial.h"
#include "net/timing_wheel.h"

namespace connguard {

// One GET on a connection of its own, with the request's headers and X-Forwarded-Method and
// X-Forwarded-Uri. 2xx: the request goes on to its session, with the answer's chosen headers. 401
// and 403 are passed on with their bodies. All else, and no answer in time, is 503.
class AuthRequest : public Session {
 public:
  // newcomer.matched.route->auth->forward is there.
  AuthRequest(Worker& worker, Newcomer newcomer);

  void Start() noexcept override;
  // A decision is a matter of seconds (auth.forward.timeout).
  void OnDrain(TimePoint /*at*/) noexcept override {}
  void OnCut() noexcept override;
  Bytes buffered() const override { return held_.value(); }
  void OnPressure() noexcept override { Leave(); }
  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& /*conn*/) noexcept override {}
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  const ForwardAuthConfig& forward() const { return *newcomer_.matched.route->auth->forward; }
  std::string Question() const;
  void ExpectAnswer();
  void Dial();
  void ReadAnswer(std::span<const std::uint8_t> data);
  void Decide();
  void Fail(std::string_view why);
  void PassOn();
  void Leave();

  Newcomer newcomer_;
  std::vector<std::uint8_t> early_;  // from the client, behind its head
  HeldBytes held_;                   // early_
  UpstreamDial dial_;
  std::unique_ptr<Conn> upstream_;
  ResponseReader answer_;
  bool answered_ = false;  // with a final head
  std::string body_;       // of a refusal: as it came, or without chunk headers for HTTP/1.0
  Timer timer_;            // for all of it
  Timer attempt_timer_;    // for one address
};

}  // namespace connguard
