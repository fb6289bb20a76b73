// What a reload changes, and what it cannot change.
#pragma once

#include <string>
#include <vector>

#include "connguard/config.h"

namespace connguard {

// One line for each key: `routes.chat: session.settle: 100ms -> 50ms`, `upstreams.spare: added`.
struct ReloadPlan {
  std::vector<std::string> live;     // takes effect at once, for what is new
  std::vector<std::string> restart;  // takes effect when the guard is started again
  Config applicable;                 // the next configuration but for what needs a restart

  bool empty() const { return live.empty() && restart.empty(); }
};

// Sockets and threads stay as they are: `workers`, `admin`, and which listeners there are and
// where, whether they speak TLS and the PROXY protocol; when these change, nothing of `listeners`
// does. Everything else is live; certificates and who may have one, for new handshakes. Pure; any
// thread.
ReloadPlan PlanReload(const Config& in_force, const Config& next);

}  // namespace connguard
