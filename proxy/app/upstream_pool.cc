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
      timer_([](void* self) noexcept { static_cast<UpstreamPool*>(self)->Expire(); }, this) {}

void UpstreamPool::Adopt(const Generation& generation) {
  std::list<Upstream> next;
  for (std::size_t i = 0; i < generation.places.size(); ++i) {
    Upstream* const known = Find(*generation.places[i]);
    Upstream& upstream = next.emplace_back(
        Upstream{generation.places[i], generation.config->upstreams[i].keepalive, {}});
    if (known != nullptr) upstream.idle = std::exchange(known->idle, {});
    while (upstream.idle.size() > upstream.keepalive.connections) {
      upstream.idle.pop_front();
      Count(-1);
    }
  }
  for (const Upstream& gone : upstreams_) Count(-static_cast<std::ptrdiff_t>(gone.idle.size()));
  upstreams_ = std::move(next);
  Expire();
}

UpstreamPool::Upstream* UpstreamPool::Find(const UpstreamPlace& place) {
  const auto found = std::ranges::find(
      upstreams_, &place, [](const Upstream& upstream) { return upstream.place.get(); });
  return found == upstreams_.end() ? nullptr : &*found;
}

std::unique_ptr<Conn> UpstreamPool::Take(const UpstreamPlace& place, ConnHandler* handler) {
  return Take(place, handler, TimePoint::min());
}

std::unique_ptr<Conn> UpstreamPool::TakeFresh(const UpstreamPlace& place, ConnHandler* handler) {
  return Take(place, handler, worker_.now() - kFresh);
}

std::unique_ptr<Conn> UpstreamPool::Take(const UpstreamPlace& place, ConnHandler* handler,
                                         TimePoint since) {
  Upstream* const upstream = Find(place);
  if (upstream == nullptr) return nullptr;
  std::deque<Idle>& idle = upstream->idle;
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

void UpstreamPool::Put(const UpstreamPlace& place, std::unique_ptr<Conn> conn) {
  Upstream* const upstream = Find(place);
  if (upstream == nullptr || upstream->keepalive.connections == 0 || closed_ || !conn->open()) {
    return;
  }
  std::deque<Idle>& idle = upstream->idle;
  if (idle.size() == upstream->keepalive.connections) {
    idle.pop_front();
    Count(-1);
  }
  conn->set_handler(this);
  conn->Resume();
  idle.push_back({std::move(conn), worker_.now()});
  Count(1);
  worker_.loop().timers().ArmAtLatest(timer_, idle.front().since + upstream->keepalive.idle);
}

void UpstreamPool::Close() {
  closed_ = true;
  for (Upstream& upstream : upstreams_) {
    Count(-static_cast<std::ptrdiff_t>(upstream.idle.size()));
    upstream.idle.clear();
  }
}

void UpstreamPool::OnReceive(Conn& conn, std::span<const std::uint8_t> /*data*/) noexcept {
  Drop(conn);  // nobody has asked
}

void UpstreamPool::OnEnd(Conn& conn, ConnEnd /*end*/) noexcept { Drop(conn); }

void UpstreamPool::Drop(const Conn& conn) {
  for (auto& [place, keepalive, idle] : upstreams_) {
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
  for (auto& [place, keepalive, idle] : upstreams_) {
    while (!idle.empty() && idle.front().since + keepalive.idle <= now) {
      idle.pop_front();
      Count(-1);
    }
    if (!idle.empty()) next = std::min(next, idle.front().since + keepalive.idle);
  }
  worker_.loop().timers().Arm(timer_, next);
}

void UpstreamPool::Count(std::ptrdiff_t change) { worker_.metrics().upstream_idle.Add(change); }

}  // namespace connguard
