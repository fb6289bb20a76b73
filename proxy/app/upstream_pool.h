// UpstreamPool: connections to upstreams that wait for their next request.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "app/generation.h"
#include "connguard/types.h"
#include "net/conn.h"
#include "net/timing_wheel.h"

namespace connguard {

class Worker;

// Keeps at most upstreams[].keepalive.connections per upstream, for at most its `idle`. The one
// that was used last is taken first, so that a crowd's connections grow old and go.
//
// Owned by one worker; not thread-safe.
class UpstreamPool : public ConnHandler {
 public:
  explicit UpstreamPool(Worker& worker);
  virtual ~UpstreamPool() = default;
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // Keeps connections to the generation's upstreams, and to no others, from now on.
  void Adopt(const Generation& generation);

  // A connection on which nothing is under way and nothing has come unasked. nullptr: none.
  std::unique_ptr<Conn> Take(const UpstreamPlace& upstream, ConnHandler* handler);
  // Likewise, for a request that must not be sent twice: one that was in use a moment ago, so that
  // the upstream can hardly be closing it.
  std::unique_ptr<Conn> TakeFresh(const UpstreamPlace& upstream, ConnHandler* handler);

  // `conn` has carried a request and its whole answer. Closed when there is no room for it.
  void Put(const UpstreamPlace& upstream, std::unique_ptr<Conn> conn);

  // Closes all; nothing is kept from now on.
  void Close();

  void OnConnected(Conn& /*conn*/) noexcept override {}
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& /*conn*/) noexcept override {}
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  struct Idle {
    std::unique_ptr<Conn> conn;
    TimePoint since;
  };

  struct Upstream {
    std::shared_ptr<UpstreamPlace> place;
    KeepaliveConfig keepalive;
    std::deque<Idle> idle;  // the newest is at the back
  };

  Upstream* Find(const UpstreamPlace& place);
  // The newest that has been idle since `since` at the earliest, and on which nothing has come.
  std::unique_ptr<Conn> Take(const UpstreamPlace& place, ConnHandler* handler, TimePoint since);
  void Drop(const Conn& conn);
  void Expire();
  void Count(std::ptrdiff_t change);

  Worker& worker_;
  std::list<Upstream> upstreams_;
  bool closed_ = false;
  Timer timer_;
};

}  // namespace connguard
