// Guard: the whole program around its configuration.
#pragma once

#include <functional>

#include "app/config_source.h"
#include "connguard/config.h"

namespace connguard {

// Where the guard really listens, for port 0 and for the lines that tell the user.
struct Listening {
  std::vector<Address> listeners;  // as Config::listeners
  std::optional<Address> admin;
};

// Listens, runs the workers, and returns when SIGTERM or SIGINT has been carried out: it stops
// accepting, ends its clients with 1012, and lets turns end for at most shutdown.drain. A second
// signal cuts what is left and says so, a third does not. `ready` is called once everything
// listens. Throws std::runtime_error when something cannot be listened on. Blocks SIGPIPE, uses
// SIGTERM, SIGINT and SIGHUP of the process.
// `source`: where SIGHUP and the admin endpoint find the configuration again.
// `beside`: an older guard of this user may listen there still, and hands over when it is stopped.
void RunGuard(const Config& config, const ConfigSource& source,
              const std::function<void(const Listening&)>& ready, bool beside = false);

}  // namespace connguard
