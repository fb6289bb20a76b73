// Reloader: from a request to reload to a configuration that can be put in force.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/event_feed.h"
#include "admin/process_state.h"
#include "admin/reload_outcome.h"
#include "app/config_source.h"
#include "app/resolver.h"
#include "config/reload_plan.h"

namespace connguard {

// Reads (on a thread that goes behind the workers), checks and compares at once, and waits until
// the names of new upstreams have been looked up; a newer request takes the place of one that still
// waits. A file that is not sound changes nothing. Says in the log and in ProcessState what has
// come of it.
//
// Lives on the control thread.
class Reloader {
 public:
  using Apply = std::function<std::string(std::shared_ptr<const Config>)>;
  using Done = std::function<void(const ReloadOutcome&)>;

  // `apply` puts the configuration in force, or returns why not.
  Reloader(std::shared_ptr<const Config> in_force, ConfigSource source, Resolver& resolver,
           ProcessState& state, EventFeed& feed, Apply apply);

  // `why` goes into the log: `signal`, `admin`, `file`.
  void Reload(std::string_view why, Done done);

  // The resolver knows more than before.
  void Resume();
  // Gives up what waits; who asked for it is not told.
  void Cancel() { waiting_.reset(); }

  const Config& in_force() const { return *in_force_; }

 private:
  struct Waiting {
    ReloadPlan plan;
    std::string why;
    std::vector<Done> done;
  };

  void Put(const Waiting& next);
  void Tell(const Waiting& asked, ReloadOutcome::Kind kind) const;
  ReloadOutcome Reject(std::string_view why, const std::vector<Diagnostic>& diagnostics);
  void LeaveAsItIs(const Waiting& asked);

  std::shared_ptr<const Config> in_force_;
  const ConfigSource source_;
  Resolver& resolver_;
  ProcessState& state_;
  EventFeed& feed_;
  const Apply apply_;
  std::optional<Waiting> waiting_;
};

}  // namespace connguard
