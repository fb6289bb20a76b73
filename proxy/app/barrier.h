// Barrier: one small request whose answer proves that the backend's event loop has turned.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/upstream_dial.h"
#include "net/conn.h"

namespace connguard {

// Any answer counts, a 404 too; so does a connection that cannot be made or ends without one: then
// the process that the barrier waits for is gone. The time-out is the owner's.
class Barrier : public ConnHandler {
 public:
  // `passed` is called once, never from within Start; it may destroy the barrier.
  // `generation` outlives it.
  Barrier(Worker& worker, const Generation& generation, const RouteConfig& route,
          std::function<void()> passed);
  virtual ~Barrier() = default;

  // False when no attempt could even begin.
  bool Start();
  // `passed` has not been called.
  bool waiting() const { return static_cast<bool>(passed_); }

  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  void Pass();

  UpstreamDial dial_;
  std::string request_;
  std::function<void()> passed_;
  std::unique_ptr<Conn> conn_;
};

}  // namespace connguard
