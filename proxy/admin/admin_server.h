// The admin endpoints: /livez, /healthz, /readyz and /metrics, on a thread of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connguard/config.h"

namespace connguard {

// Serves plain HTTP/1.1 from construction to destruction. Holds at most 64 connections: one more
// takes the place of the one that has waited longest, so that silent clients never keep a probe
// out.
class AdminServer {
 public:
  struct Sources {
    // The body of /metrics.
    std::function<std::string()> metrics;
    // Why the guard is not ready, or nullopt when it is: /readyz answers 503 or 200.
    std::function<std::optional<std::string>()> not_ready_reason;
  };

  // Binds (port 0: any free one; the file of a unix socket that nobody listens on is replaced) and
  // starts the thread, which calls `sources`; they must be safe to call from there.
  // Throws std::runtime_error: `admin: cannot listen on 127.0.0.1:9180: Address already in use`.
  AdminServer(const Address& bind, Sources sources);

  // Ends all connections and the thread; removes a unix socket's file.
  ~AdminServer();

  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The port that is listened on; 0 for a unix socket.
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connguard
