// Questions to workers, and the wait for their answers.
#include "app/admin_sources.h"

#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "admin/metrics_page.h"
#include "app/session_name.h"
#include "config/load.h"

namespace connguard {

namespace {

constexpr std::chrono::seconds kPatience{1};

// `ask(worker)` on the worker's own thread.
template <typename Ask>
auto Begin(Worker& worker, Ask ask) {
  using Answer = decltype(ask(worker));
  const auto promise = std::make_shared<std::promise<Answer>>();
  worker.Post([promise, ask = std::move(ask)](Worker& self) { promise->set_value(ask(self)); });
  return promise->get_future();
}

template <typename Answer>
Answer Await(std::future<Answer>& answer) {
  if (answer.wait_for(kPatience) != std::future_status::ready) {
    throw std::runtime_error("a worker does not answer");
  }
  return answer.get();
}

// All workers at once, their answers one after the other.
template <typename Item, typename Ask>
std::vector<Item> AskAll(const std::vector<Worker*>& workers, Ask ask) {
  std::vector<std::future<std::vector<Item>>> answers;
  for (Worker* worker : workers) answers.push_back(Begin(*worker, ask));
  std::vector<Item> all;
  for (std::future<std::vector<Item>>& answer : answers) {
    for (Item& item : Await(answer)) all.push_back(std::move(item));
  }
  return all;
}

// The worker whose session this is; nullptr: there is none.
Worker* WorkerOf(const std::vector<Worker*>& workers, const std::optional<Ticket>& session) {
  return session && session->worker < workers.size() ? workers[session->worker] : nullptr;
}

std::optional<std::string> WhyNotReady(const Control& control, const ProcessState& state) {
  if (state.drain != DrainState::kOff) return "draining";
  if (!control.resolved()) return "an upstream's name is not resolved yet";
  return std::nullopt;
}

void AddQuestions(const std::vector<Worker*>& workers, AdminServer::Sources& sources) {
  sources.sessions = [workers] {
    return AskAll<SessionInfo>(workers, [](Worker& worker) { return worker.Describe(); });
  };
  sources.session = [workers](std::string_view text) -> std::optional<SessionInfo> {
    const std::optional<Ticket> session = ParseSessionName(text);
    Worker* const owner = WorkerOf(workers, session);
    if (owner == nullptr) return std::nullopt;
    auto answer =
        Begin(*owner, [id = session->connection](Worker& worker) { return worker.Describe(id); });
    return Await(answer);
  };
  sources.close_session = [workers](std::string_view text,
                                    OnShield shield) -> std::optional<std::string_view> {
    const std::optional<Ticket> session = ParseSessionName(text);
    Worker* const owner = WorkerOf(workers, session);
    if (owner == nullptr) return std::nullopt;
    auto answer = Begin(*owner, [id = session->connection, shield](Worker& worker) {
      return worker.EndByOperator(id, shield);
    });
    return Await(answer);
  };
  sources.keys = [workers] {
    return AskAll<KeyInfo>(workers, [](Worker& worker) { return worker.fences().Describe(); });
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
