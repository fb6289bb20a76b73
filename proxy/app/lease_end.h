// LeaseEnd: a session key after its request, until the backend is surely done with it.
#pragma once

#include <memory>

#include "app/barrier.h"
#include "app/fences.h"
#include "app/session.h"
#include "connguard/config.h"
#include "net/timing_wheel.h"

namespace connguard {

// The client dropped and the upstream's connection is closed: waits for session.settle and for
// session.barrier, and then frees the key.
class LeaseEnd : public Session {
 public:
  LeaseEnd(Worker& worker, std::shared_ptr<const Generation> generation, FenceClient fence,
           Epoch epoch, const RouteConfig& route);

  void Start() noexcept override;
  void OnDrain(TimePoint /*at*/) noexcept override {}  // bounded by itself
  void OnConnected(Conn& /*conn*/) noexcept override {}
  void OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> /*data*/) noexcept override {}
  void OnProgress(Conn& /*conn*/) noexcept override {}
  void OnEnd(Conn& /*conn*/, ConnEnd /*end*/) noexcept override {}

 private:
  void Tick();
  void Release();

  FenceClient fence_;
  Epoch epoch_;
  const RouteConfig& route_;
  std::unique_ptr<Barrier> barrier_;
  bool settled_ = false;
  Timer timer_;
};

}  // namespace connguard
