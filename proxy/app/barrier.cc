// GET, wait for the first byte of an answer.
#include "app/barrier.h"

#include <utility>

#include "app/worker.h"

namespace connguard {

Barrier::Barrier(Worker& worker, std::size_t upstream, const std::string& path,
                 std::function<void()> passed)
    : dial_(worker, upstream), passed_(std::move(passed)) {
  request_ = "GET " + path + " HTTP/1.1\r\nHost: " + HostOf(worker.config().upstreams[upstream]) +
             "\r\nUser-Agent: connguard\r\nConnection: close\r\n\r\n";
}

bool Barrier::Start() {
  conn_ = dial_.Next(this);
  return conn_ != nullptr;
}

void Barrier::OnConnected(Conn& conn) noexcept { conn.Send(request_); }

void Barrier::OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> /*data*/) noexcept {
  const std::function<void()> passed = std::move(passed_);
  passed();
}

void Barrier::OnProgress(Conn& /*conn*/) noexcept {}

void Barrier::OnEnd(Conn& /*conn*/, ConnEnd end) noexcept {
  conn_.reset();
  if (end == ConnEnd::kUnreachable && Start()) return;
  const std::function<void()> passed = std::move(passed_);
  passed();
}

}  // namespace connguard
