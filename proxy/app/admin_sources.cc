// What of the guard answers which endpoint.
#include "app/admin_sources.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admin/metrics_page.h"
#include "app/session_name.h"
#include "app/worker_questions.h"
#include "config/load.h"

namespace connguard {

namespace {

// The number of the worker whose session this is; nullopt: there is none.
std::optional<std::size_t> WorkerOf(const WorkerQuestions& workers,
                                    const std::optional<Ticket>& session) {
  if (!session || session->worker >= workers.size()) return std::nullopt;
  return session->worker;
}

template <typename Item>
std::vector<Item> Joined(std::vector<std::vector<Item>> parts) {
  std::vector<Item> all;
  for (std::vector<Item>& part : parts) {
    std::ranges::move(part, std::back_inserter(all));
  }
  return all;
}

std::optional<std::string> WhyNotReady(const Control& control, const ProcessState& state) {
  if (state.drain != DrainState::kOff) return "draining";
  if (!control.resolved()) return "an upstream's name is not resolved yet";
  return std::nullopt;
}

void AddQuestions(const std::vector<Worker*>& workers, AdminServer::Sources& sources) {
  const auto all = std::make_shared<WorkerQuestions>(workers);
  sources.sessions = [all] {
    return Joined(all->AskAll([](Worker& worker) { return worker.Describe(); }));
  };
  sources.session = [all](std::string_view text) -> std::optional<SessionInfo> {
    const std::optional<Ticket> session = ParseSessionName(text);
    const std::optional<std::size_t> owner = WorkerOf(*all, session);
    if (!owner) return std::nullopt;
    return all->AskOne(*owner,
                       [id = session->connection](Worker& worker) { return worker.Describe(id); });
  };
  sources.close_session = [all](std::string_view text,
                                OnShield shield) -> std::optional<std::string_view> {
    const std::optional<Ticket> session = ParseSessionName(text);
    const std::optional<std::size_t> owner = WorkerOf(*all, session);
    if (!owner) return std::nullopt;
    return all->AskOne(*owner, [id = session->connection, shield](Worker& worker) {
      return worker.EndByOperator(id, shield);
    });
  };
  sources.keys = [all] {
    return Joined(all->AskAll([](Worker& worker) { return worker.fences().Describe(); }));
  };
}

}  // namespace

AdminServer::Sources MakeAdminSources(Control& control, const ProcessState& state,
                                      const RouteNumbers& routes, const Shared& shared) {
  AdminServer::Sources sources;
  for (Worker* worker : shared.workers) sources.workers.push_back(&worker->metrics());
  sources.route_names = [&routes] { return routes.Names(); };
  const auto page = std::make_shared<MetricsPage>(sources.route_names, sources.workers, &state);
  sources.metrics = [page] { return page->Render(); };
  sources.not_ready_reason = [&control, &state] { return WhyNotReady(control, state); };
  AddQuestions(shared.workers, sources);
  sources.drain = [&control] { control.Drain(); };
  sources.reload = [&control] { return control.Reload(); };
  sources.config = [&control] { return PrintConfig(*control.config()); };
  sources.state = &state;
  sources.events = &shared.feed;
  return sources;
}

}  // namespace connguard
