// Control: the control thread's loop. Signals, name resolution, reload, the way out.
#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "admin/event_feed.h"
#include "admin/process_state.h"
#include "admin/reload_outcome.h"
#include "app/accepting_end.h"
#include "app/config_source.h"
#include "app/credentials.h"
#include "app/file_watch.h"
#include "app/reloader.h"
#include "app/resolver.h"
#include "app/service_notify.h"
#include "app/worker.h"

namespace connguard {

// The numbers of routes in the workers' figures: by name, over all configurations, so that a
// route's counters go on when the route has changed.
class RouteNumbers {
 public:
  // Any thread.
  std::vector<std::string> Names() const;
  // One for each route of `config`; new names get the next free number.
  std::vector<std::size_t> NumbersFor(const Config& config);

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

// Takes SIGTERM, SIGINT and SIGHUP from construction to the end of Run(). Everything but what says
// otherwise belongs to the thread that runs it.
class Control {
 public:
  Control(std::shared_ptr<const Config> config, const ConfigSource& source, ProcessState& state,
          EventFeed& feed, RouteNumbers& routes);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // What the workers are made with, as far as it is known without a look-up.
  ConfigInForce Initial();

  // Until Stop has been carried out.
  // `sockets`: where the workers listen.
  void Run(std::vector<Worker*> workers, AcceptingEnd::Sockets sockets);

  // From any thread, as long as the object lives. False: the loop has ended.
  bool Post(std::function<void()> task);
  void WorkerIsIdle();
  // As the first SIGTERM; once more changes nothing.
  void Drain();
  // As SIGHUP. `done` gets the outcome on the control thread; it is dropped uncalled when the guard
  // stops before there is one. False: the loop has ended.
  bool RequestReload(Reloader::Done done);
  // Waits for the outcome, five seconds at most. Throws std::runtime_error when there is none.
  ReloadOutcome Reload();

  // False until every upstream's name has been resolved once. Any thread.
  bool resolved() const { return resolved_; }
  // The configuration in force. Any thread.
  std::shared_ptr<const Config> config() const;

 private:
  struct Signal {
    uv_signal_t handle;
    int number;
  };

  void OnSignal(int number);
  void OnStopSignal();
  void BeginReload(std::string_view why, Reloader::Done done);
  void OnWake();
  void OnResolved(const Address& upstream, const std::vector<SocketAddress>& addresses);
  // Returns why not; empty: done.
  std::string PutInForce(std::shared_ptr<const Config> config);
  void GiveOut(std::shared_ptr<const Config> config,
               std::shared_ptr<const Credentials> credentials);
  void RenewCredentials();
  ConfigInForce Order(std::shared_ptr<const Config> config);
  template <typename T>
  std::shared_ptr<const T> FreedHere(std::shared_ptr<const T> thing);
  void BeginDrain();
  void StopAccepting();
  void DrainWorkers();
  void EnterDraining(Millis left);
  void CutWorkers();
  void Stop();
  void After(Millis time, uv_timer_cb then);

  ProcessState& state_;
  EventFeed& feed_;
  RouteNumbers& routes_;
  uv_loop_t loop_{};
  Signal signals_[3] = {{{}, SIGTERM}, {{}, SIGINT}, {{}, SIGHUP}};
  uv_timer_t timer_{};
  uv_async_t wake_{};
  Resolver resolver_;
  Reloader reloader_;
  CredentialStore credential_store_;
  std::shared_ptr<const Credentials> credentials_;
  std::unique_ptr<FileWatch> config_watch_;
  FileWatch credential_watch_;
  ServiceNotify service_;
  std::unique_ptr<Watchdog> watchdog_;
  std::vector<Worker*> workers_;
  std::unique_ptr<AcceptingEnd> accepting_end_;
  std::atomic<std::size_t> idle_workers_{0};
  std::atomic<bool> resolved_{false};
  unsigned stop_signals_ = 0;  // a drain over the admin endpoint is none
  bool cut_ = false;           // nothing begins or goes on draining any more
  bool stopped_ = false;
  mutable std::mutex mutex_;  // the rest
  std::shared_ptr<const Config> config_;
  std::vector<std::function<void()>> tasks_;
  bool ended_ = false;
};

}  // namespace connguard
