// Idle upstream connections, the newest first.
#include "app/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "app/worker.h"

namespace connguard {

namespace {

// Backends close idle connections after seconds (uvicorn: 5 s). One that was in use this long ago
// is not about to be closed.
constexpr Millis kFresh{1'000};

}  // namespace

UpstreamPool::UpstreamPool(Worker& worker)
    : worker_(worker),
      idle_(worker.config().upstreams.size()),
      timer_([](void* self) noexcept { static_cast<UpstreamPool*>(self)->Expire(); }, this) {}

std::unique_ptr<Conn> UpstreamPool::Take(std::size_t upstream, ConnHandler* handler) {
  return Take(upstream, handler, TimePoint::min());
}

std::unique_ptr<Conn> UpstreamPool::TakeFresh(std::size_t upstream, ConnHandler* handler) {
  return Take(upstream, handler, worker_.now() - kFresh);
}

std::unique_ptr<Conn> UpstreamPool::Take(std::size_t upstream, ConnHandler* handler,
                                         TimePoint since) {
  std::deque<Idle>& idle = idle_[upstream];
  while (!idle.empty() && idle.back().since >= since) {
    std::unique_ptr<Conn> conn = std::move(idle.back().conn);
    idle.pop_back();
    Count(-1);
    // It has ended, or holds what nobody has asked for, which would pass for the next answer.
    if (!conn->quiet()) continue;
    conn->set_handler(handler);
    return conn;
  }
  return nullptr;
}

void UpstreamPool::Put(std::size_t upstream, std::unique_ptr<Conn> conn) {
  const KeepaliveConfig& keepalive = worker_.config().upstreams[upstream].keepalive;
  std::deque<Idle>& idle = idle_[upstream];
  if (closed_ || keepalive.connections == 0 || !conn->open()) return;
  if (idle.size() == keepalive.connections) {
    idle.pop_front();
    Count(-1);
  }
  conn->set_handler(this);
  conn->Resume();
  idle.push_back({std::move(conn), worker_.now()});
  Count(1);
  worker_.loop().timers().ArmAtLatest(timer_, idle.front().since + keepalive.idle);
}

void UpstreamPool::Close() {
  closed_ = true;
  for (std::deque<Idle>& idle : idle_) {
    Count(-static_cast<std::ptrdiff_t>(idle.size()));
    idle.clear();
  }
}

void UpstreamPool::OnReceive(Conn& conn, std::span<const std::uint8_t> /*data*/) noexcept {
  Drop(conn);  // nobody has asked
}

void UpstreamPool::OnEnd(Conn& conn, ConnEnd /*end*/) noexcept { Drop(conn); }

void UpstreamPool::Drop(const Conn& conn) {
  for (std::deque<Idle>& idle : idle_) {
    const auto found =
        std::ranges::find(idle, &conn, [](const Idle& one) { return one.conn.get(); });
    if (found == idle.end()) continue;
    idle.erase(found);
    Count(-1);
    return;
  }
}

void UpstreamPool::Expire() {
  const TimePoint now = worker_.now();
  TimePoint next = kNever;
  for (std::size_t upstream = 0; upstream < idle_.size(); ++upstream) {
    const Millis longest = worker_.config().upstreams[upstream].keepalive.idle;
    std::deque<Idle>& idle = idle_[upstream];
    while (!idle.empty() && idle.front().since + longest <= now) {
      idle.pop_front();
      Count(-1);
    }
    if (!idle.empty()) next = std::min(next, idle.front().since + longest);
  }
  worker_.loop().timers().Arm(timer_, next);
}

void UpstreamPool::Count(std::ptrdiff_t change) { worker_.metrics().upstream_idle.Add(change); }

}  // namespace connguard
