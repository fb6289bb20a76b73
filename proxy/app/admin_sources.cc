// Questions to workers, and the wait for their answers.
#include "app/admin_sources.h"

#include <charconv>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "admin/metrics_page.h"
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

struct SessionName {
  std::size_t worker = 0;
  SessionId id = 0;
};

// `worker:id`; nullopt: no session was ever called so.
std::optional<SessionName> Parse(std::string_view text, std::size_t workers) {
  SessionName name;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [colon, worker_error] = std::from_chars(begin, end, name.worker);
  if (worker_error != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [rest, id_error] = std::from_chars(colon + 1, end, name.id);
  if (id_error != std::errc() || rest != end || name.worker >= workers) return std::nullopt;
  return name;
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
    const auto name = Parse(text, workers.size());
    if (!name) return std::nullopt;
    auto answer = Begin(*workers[name->worker],
                        [id = name->id](Worker& worker) { return worker.Describe(id); });
    return Await(answer);
  };
  sources.close_session = [workers](std::string_view text) {
    const auto name = Parse(text, workers.size());
    if (!name) return false;
    auto answer = Begin(*workers[name->worker],
                        [id = name->id](Worker& worker) { return worker.EndByOperator(id); });
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
