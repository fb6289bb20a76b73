// The admin endpoints – probes, metrics, the API, the live page – on a thread of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/event_feed.h"
#include "admin/metrics.h"
#include "admin/process_state.h"
#include "admin/reload_outcome.h"
#include "admin/session_info.h"
#include "connguard/config.h"
#include "connguard/types.h"

namespace connguard {

// For tests, which cannot wait so long.
struct AdminTiming {
  Millis keep_alive{15'000};    // between two signs of life on a stream of events
  Millis stalled{60'000};       // a stream whose client takes nothing for so long is ended
  Millis drain_begins{10'000};  // who waits for a drain's end is sent away without one by then
};

// Serves plain HTTP/1.1 from construction to destruction. Holds at most 64 connections, of which 16
// may be streams of events and 8 may wait for a drain's end: one more takes the place of the one
// that has been silent longest and is none of these, so that neither silent clients nor watchers
// ever keep a probe out. All is answered on one thread: a source that takes its time holds up every
// answer.
class AdminServer {
 public:
  // Called on the server's thread. What is empty (or null) has no endpoint: 404.
  struct Sources {
    // The body of /metrics.
    std::function<std::string()> metrics{};
    // Why the guard is not ready, or nullopt when it is: /readyz answers 503 or 200.
    std::function<std::optional<std::string>()> not_ready_reason{};
    // These ask workers and wait, a second at most for all of them; Unavailable when one is silent.
    std::function<std::vector<SessionInfo>()> sessions{};
    std::function<std::optional<SessionInfo>(std::string_view id)> session{};  // with its recorder
    // Its state right after; nullopt: there is none.
    std::function<std::optional<std::string_view>(std::string_view id, OnShield shield)>
        close_session{};
    std::function<std::vector<KeyInfo>()> keys{};
    std::function<void()> drain{};
    // std::runtime_error when it has not ended in time.
    std::function<ReloadOutcome()> reload{};
    std::function<std::string()> config{};  // YAML, without secrets
    // For the overview: the names of the workers' routes, and their figures.
    std::function<std::vector<std::string>()> route_names{};
    std::vector<const WorkerMetrics*> workers{};
    // These outlive the server.
    const ProcessState* state = nullptr;
    EventFeed* events = nullptr;
  };

  // Binds (port 0: any free one; the file of a unix socket that nobody listens on is replaced) and
  // starts the thread. Throws std::runtime_error: `admin: cannot listen on 127.0.0.1:9180: Address
  // already in use`.
  AdminServer(const AdminConfig& config, Sources sources, AdminTiming timing = {});

  // Tells who waits on /drainz that the guard has drained: for when its workers have ended. Ends
  // all connections and the thread; removes a unix socket's file.
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
