// The composition root: listeners, workers, admin endpoint, control thread.
#include "app/guard.h"

#include <signal.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "admin/admin_server.h"
#include "admin/lws_log.h"
#include "app/admin_sources.h"
#include "app/control.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

namespace {

unsigned WorkerCount(const Config& config) {
  return config.workers > 0 ? config.workers : std::max(1U, uv_available_parallelism());
}

std::unique_ptr<AdminServer> StartAdmin(const Config& config, AdminServer::Sources sources,
                                        Listening& listening) {
  if (!config.admin) return nullptr;
  auto server = std::make_unique<AdminServer>(*config.admin, std::move(sources));
  listening.admin = config.admin->bind;
  if (!config.admin->bind.is_unix()) listening.admin->port = server->port();
  return server;
}

}  // namespace

void RunGuard(const Config& first, const ConfigSource& source,
              const std::function<void(const Listening&)>& ready, bool beside) {
  signal(SIGPIPE, SIG_IGN);
  RouteLwsLog();
  const auto config = std::make_shared<const Config>(first);
  const unsigned count = WorkerCount(*config);
  Listening listening;
  std::vector<std::vector<Fd>> sockets(count);
  AcceptingEnd::Sockets descriptors(count);
  std::vector<SocketFile> files;
  for (const ListenerConfig& listener : config->listeners) {
    Address bound;
    std::vector<Fd> opened = OpenListeners(listener.bind, count, bound, beside);
    if (bound.is_unix()) files.emplace_back(bound.path);
    for (unsigned i = 0; i < count; ++i) {
      descriptors[i].push_back(opened[i].get());
      sockets[i].push_back(std::move(opened[i]));
    }
    listening.listeners.push_back(bound);
  }
  ProcessState state;
  RouteNumbers routes;
  EventFeed feed;
  Control control(config, source, state, feed, routes);
  Shared shared{.initial = control.Initial(),
                .feed = feed,
                .held = std::vector<Shared::Held>(count),
                .on_idle = [&control] { control.WorkerIsIdle(); }};
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, i, std::move(sockets[i])));
    shared.workers.push_back(workers.back().get());
  }
  const std::unique_ptr<AdminServer> admin =
      StartAdmin(*config, MakeAdminSources(control, state, routes, shared), listening);
  for (const auto& worker : workers) worker->StartThread();
  Log(LogLevel::kInfo, "listening",
      {{"address", listening.listeners.front().ToString()},
       {"admin", listening.admin ? listening.admin->ToString() : "off"},
       {"workers", count}});
  if (ready) ready(listening);
  control.Run(shared.workers, std::move(descriptors));
  for (const auto& worker : workers) worker->Join();
  for (const SocketFile& file : files) file.Remove();
  Log(LogLevel::kInfo, "stopped");
}

}  // namespace connguard
