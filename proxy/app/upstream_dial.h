// UpstreamDial: tries an upstream's addresses, one after the other.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "connguard/config.h"
#include "connguard/types.h"
#include "net/conn.h"

namespace connguard {

class Worker;
struct Generation;

// How a request names the upstream where nobody else has.
std::string HostOf(const UpstreamConfig& upstream);

class UpstreamDial {
 public:
  // `generation` outlives it; `upstream`: index into its Config::upstreams.
  UpstreamDial(Worker& worker, const Generation& generation, std::size_t upstream)
      : worker_(worker), generation_(generation), upstream_(upstream) {}

  // Dials the next address; OnConnected or OnEnd follows. nullptr when there is none left.
  std::unique_ptr<Conn> Next(ConnHandler* handler);

  // When the current attempt has taken too long (upstreams[].connect_timeout).
  TimePoint deadline() const { return deadline_; }
  // The attempt has led to a connection; counts its TLS handshake.
  void Done(const Conn& conn);
  // The connection has ended. True: it never came to be, so there may be a next one. Says in the
  // log why TLS did not like it.
  bool Failed(const Conn& conn, ConnEnd end);
  void GiveUp() { deadline_ = kNever; }

 private:
  Worker& worker_;
  const Generation& generation_;
  std::size_t upstream_;
  std::size_t attempt_ = 0;
  TimePoint deadline_ = kNever;
};

}  // namespace connguard
