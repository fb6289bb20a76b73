// load → plan → names → in force.
#include "app/reloader.h"

#include <unistd.h>

#include <future>
#include <system_error>
#include <utility>

#include "log/blocked_signals.h"
#include "log/log.h"

namespace connguard {

namespace {

// One line of the log for each change, so that each can be searched for.
void LogChanges(std::string_view event, const std::vector<std::string>& changes) {
  for (const std::string& change : changes) Log(LogLevel::kInfo, event, {{"change", change}});
}

// A large configuration takes long to read: where cores are few, it is read in what the workers
// leave. Only a thread of its own can do that: niceness cannot be taken back.
LoadResult LoadAside(const std::function<LoadResult()>& load) {
  constexpr int kNiceness = 10;  // a tenth of a worker's weight
  const BlockedSignals for_the_new_thread;
  std::future<LoadResult> loaded;
  try {
    loaded = std::async(std::launch::async, [&load] {
      [[maybe_unused]] const int refused = nice(kNiceness);  // then it is read all the same
      return load();
    });
  } catch (const std::system_error&) {  // no more threads
    return load();
  }
  return loaded.get();
}

}  // namespace

Reloader::Reloader(std::shared_ptr<const Config> in_force, ConfigSource source, Resolver& resolver,
                   ProcessState& state, EventFeed& feed, Apply apply)
    : in_force_(std::move(in_force)),
      source_(std::move(source)),
      resolver_(resolver),
      state_(state),
      feed_(feed),
      apply_(std::move(apply)) {
  state_.loaded_at = std::chrono::system_clock::now();
}

void Reloader::Reload(std::string_view why, Done done) {
  if (!source_.load) {
    Log(LogLevel::kWarn, "reload_ignored",
        {{"why", "the guard runs without a configuration file"}});
    done({.kind = ReloadOutcome::Kind::kNoFile, .generation = state_.generation});
    return;
  }
  LoadResult loaded = LoadAside(source_.load);
  if (!loaded.config) {
    done(Reject(why, loaded.diagnostics));
    return;
  }
  // One that still waits for names is outdated; who asked for it gets this one's outcome.
  Waiting next{PlanReload(*in_force_, *loaded.config), std::string(why), {}};
  if (waiting_) next.done = std::move(waiting_->done);
  next.done.push_back(std::move(done));
  waiting_.reset();
  if (next.plan.live.empty()) {
    LeaveAsItIs(next);
    return;
  }
  resolver_.Add(next.plan.applicable);
  waiting_ = std::move(next);
  Resume();
}

void Reloader::Resume() {
  if (waiting_ && resolver_.Tried(waiting_->plan.applicable)) {
    Put(*std::exchange(waiting_, std::nullopt));
  }
}

void Reloader::Put(const Waiting& next) {
  auto config = std::make_shared<const Config>(next.plan.applicable);
  if (std::string why = apply_(config); !why.empty()) {
    const ReloadOutcome outcome = Reject(next.why, {{source_.file, 0, 0, std::move(why)}});
    resolver_.KeepOnly(*in_force_);  // its names are wanted no more
    for (const Done& done : next.done) done(outcome);
    return;
  }
  in_force_ = std::move(config);
  resolver_.KeepOnly(*in_force_);
  ++state_.generation;
  ++state_.reloads_applied;
  state_.loaded_at = std::chrono::system_clock::now();
  state_.last_reload_ok = true;
  state_.SetReloadError({});
  LogChanges("reload_change", next.plan.live);
  LogChanges("reload_needs_restart", next.plan.restart);
  Log(LogLevel::kInfo, "reloaded",
      {{"by", next.why},
       {"generation", state_.generation.load()},
       {"changes", next.plan.live.size()},
       {"need_restart", next.plan.restart.size()}});
  Tell(next, ReloadOutcome::Kind::kApplied);
}

void Reloader::Tell(const Waiting& asked, ReloadOutcome::Kind kind) const {
  const ReloadOutcome outcome{.kind = kind,
                              .generation = state_.generation,
                              .live = asked.plan.live,
                              .restart = asked.plan.restart};
  const bool applied = kind == ReloadOutcome::Kind::kApplied;
  Publish(feed_, AdminEvent::Kind::kReload, applied ? "applied" : "unchanged");
  for (const Done& done : asked.done) done(outcome);
}

ReloadOutcome Reloader::Reject(std::string_view why, const std::vector<Diagnostic>& diagnostics) {
  ReloadOutcome outcome{.kind = ReloadOutcome::Kind::kRejected, .generation = state_.generation};
  for (const Diagnostic& diagnostic : diagnostics) {
    outcome.errors.push_back(diagnostic.ToString());
    Log(LogLevel::kError, "reload_error", {{"why", outcome.errors.back()}});
  }
  ++state_.reloads_rejected;
  Publish(feed_, AdminEvent::Kind::kReload, outcome.errors.front());
  state_.last_reload_ok = false;
  state_.SetReloadError(outcome.errors.front());
  Log(LogLevel::kError, "reload_rejected",
      {{"by", why}, {"errors", outcome.errors.size()}, {"generation", outcome.generation}});
  return outcome;
}

// The file is sound and says, as far as it can be put in force, what is in force.
void Reloader::LeaveAsItIs(const Waiting& asked) {
  ++state_.reloads_unchanged;
  state_.last_reload_ok = true;
  state_.SetReloadError({});
  LogChanges("reload_needs_restart", asked.plan.restart);
  Log(LogLevel::kInfo, "reload_unchanged",
      {{"by", asked.why}, {"generation", state_.generation.load()}});
  resolver_.KeepOnly(*in_force_);  // the names of one that was waiting are wanted no more
  Tell(asked, ReloadOutcome::Kind::kUnchanged);
}

}  // namespace connguard
