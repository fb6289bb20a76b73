// The composition root: listeners, workers, admin endpoint, control thread.
#include "app/guard.h"

#include <signal.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "admin/admin_server.h"
#include "admin/lws_log.h"
#include "admin/metrics_page.h"
#include "app/control.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

namespace {

unsigned WorkerCount(const Config& config) {
  return config.workers > 0 ? config.workers : std::max(1U, uv_available_parallelism());
}

std::unique_ptr<AdminServer> StartAdmin(const Config& config, const ProcessState& state,
                                        const Control& control, const RouteNumbers& routes,
                                        const Shared& shared, Listening& listening) {
  if (!config.admin) return nullptr;
  std::vector<const WorkerMetrics*> metrics;
  for (Worker* worker : shared.workers) metrics.push_back(&worker->metrics());
  auto page = std::make_shared<MetricsPage>([&routes] { return routes.Names(); },
                                            std::move(metrics), &state);
  AdminServer::Sources sources;
  sources.metrics = [page] { return page->Render(); };
  sources.not_ready_reason = [&control, &state]() -> std::optional<std::string> {
    if (state.drain != DrainState::kOff) return "draining";
    if (!control.resolved()) return "an upstream's name is not resolved yet";
    return std::nullopt;
  };
  auto server = std::make_unique<AdminServer>(*config.admin, std::move(sources));
  listening.admin = *config.admin;
  if (!config.admin->is_unix()) listening.admin->port = server->port();
  return server;
}

}  // namespace

void RunGuard(const Config& first, const ConfigSource& source,
              const std::function<void(const Listening&)>& ready) {
  signal(SIGPIPE, SIG_IGN);
  RouteLwsLog();
  const auto config = std::make_shared<const Config>(first);
  const unsigned count = WorkerCount(*config);
  Listening listening;
  std::vector<std::vector<Fd>> sockets(count);
  for (const ListenerConfig& listener : config->listeners) {
    Address bound;
    std::vector<Fd> opened = OpenListeners(listener.bind, count, bound);
    for (unsigned i = 0; i < count; ++i) sockets[i].push_back(std::move(opened[i]));
    listening.listeners.push_back(bound);
  }
  ProcessState state;
  RouteNumbers routes;
  Control control(config, source, state, routes);
  EventFeed feed;
  Shared shared{control.Initial(), feed, {}, 0, std::vector<Shared::Held>(count), [&control] {
                  control.WorkerIsIdle();
                }};
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, i, std::move(sockets[i])));
    shared.workers.push_back(workers.back().get());
  }
  const std::unique_ptr<AdminServer> admin =
      StartAdmin(*config, state, control, routes, shared, listening);
  for (const auto& worker : workers) worker->StartThread();
  Log(LogLevel::kInfo, "listening",
      {{"address", listening.listeners.front().ToString()},
       {"admin", listening.admin ? listening.admin->ToString() : "off"},
       {"workers", count}});
  if (ready) ready(listening);
  control.Run(shared.workers);
  for (const auto& worker : workers) worker->Join();
  for (const ListenerConfig& listener : config->listeners) {
    if (listener.bind.is_unix()) RemoveSocketFile(listener.bind.path);
  }
  Log(LogLevel::kInfo, "stopped");
}

}  // namespace connguard
