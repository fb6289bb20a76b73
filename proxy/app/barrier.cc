// GET, wait for the first byte of an answer.
#include "app/barrier.h"

#include <utility>

#include "app/worker.h"

namespace connguard {

Barrier::Barrier(Worker& worker, const Generation& generation, const RouteConfig& route,
                 std::function<void()> passed)
    : dial_(worker, generation, route.upstream), passed_(std::move(passed)) {
  request_ = "GET " + *route.session.barrier_path +
             " HTTP/1.1\r\nHost: " + HostOf(generation.UpstreamOf(route)) +
             "\r\nUser-Agent: connguard\r\nConnection: close\r\n\r\n";
}

bool Barrier::Start() {
  conn_ = dial_.Next(this);
  return conn_ != nullptr;
}

void Barrier::OnConnected(Conn& conn) noexcept {
  dial_.Done(conn);
  conn.Send(request_);
}

// With TLS the answer and its end may come in one read, before the owner gets to destroy this.
void Barrier::Pass() {
  if (const std::function<void()> passed = std::exchange(passed_, {})) passed();
}

void Barrier::OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> /*data*/) noexcept { Pass(); }

void Barrier::OnProgress(Conn& /*conn*/) noexcept {}

void Barrier::OnEnd(Conn& conn, ConnEnd end) noexcept {
  const bool failed = dial_.Failed(conn, end);
  conn_.reset();
  if (failed && Start()) return;
  Pass();
}

}  // namespace connguard
