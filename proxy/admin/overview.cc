// The figures of all workers as JSON, and the state of the process.
#include "admin/overview.h"

#include <array>
#include <string_view>

#include "admin/collect.h"
#include "admin/process_figures.h"

namespace connguard {
namespace {

std::vector<std::string> RouteNames(const AdminServer::Sources& sources) {
  return sources.route_names ? sources.route_names() : std::vector<std::string>();
}

std::int64_t Tunnels(const MetricSources& metrics, std::size_t route, std::size_t phase) {
  return static_cast<std::int64_t>(Sum(metrics, [route, phase](const WorkerMetrics& w) -> auto& {
    return w.route(route).tunnels.at(phase);
  }));
}

// By phase, of one route.
Json TunnelsJson(const MetricSources& metrics, std::size_t route) {
  Json json = Json::object();
  for (std::size_t phase = 0; phase < kTunnelPhaseWords.size(); ++phase) {
    json[std::string(kTunnelPhaseWords[phase])] = Tunnels(metrics, route, phase);
  }
  return json;
}

// By phase, of all.
Json AllTunnelsJson(const MetricSources& metrics) {
  Json json = Json::object();
  for (std::size_t phase = 0; phase < kTunnelPhaseWords.size(); ++phase) {
    std::int64_t sum = 0;
    ForEachRoute(metrics, [&](std::string_view, std::size_t route) {
      sum += Tunnels(metrics, route, phase);
    });
    json[std::string(kTunnelPhaseWords[phase])] = sum;
  }
  return json;
}

template <const auto& kBounds>
using Counts = std::array<std::uint64_t, kBounds.size() + 1>;

// SumHistogram counts upwards over the buckets; here each has its own.
template <const auto& kBounds, typename Cell>
void AddCounts(const MetricSources& metrics, Cell cell, Counts<kBounds>& counts) {
  const auto histogram = SumHistogram<kBounds>(metrics, cell);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] += histogram.bucket[i].cumulative_count - below;
    below = histogram.bucket[i].cumulative_count;
  }
}

template <const auto& kBounds>
Json HistogramJson(const Counts<kBounds>& counts) {
  Json bounds = Json::array();
  for (const Millis bound : kBounds) bounds.push_back(bound.count());
  return {{"bounds_ms", std::move(bounds)}, {"counts", counts}};
}

Json RttJson(const MetricSources& metrics) {
  Json json = Json::object();
  for (std::size_t side = 0; side < kSideWords.size(); ++side) {
    Counts<kRttBounds> counts{};
    AddCounts<kRttBounds>(
        metrics, [side](const WorkerMetrics& w) -> auto& { return w.ping_rtt.at(side); }, counts);
    json[std::string(kSideWords[side])] = HistogramJson<kRttBounds>(counts);
  }
  return json;
}

Json ShieldJson(const MetricSources& metrics) {
  Counts<kShieldBounds> counts{};
  ForEachRoute(metrics, [&](std::string_view, std::size_t route) {
    AddCounts<kShieldBounds>(
        metrics, [route](const WorkerMetrics& w) -> auto& { return w.route(route).shield; },
        counts);
  });
  return HistogramJson<kShieldBounds>(counts);
}

Json DropsJson(const CloseHistory& history) {
  Json causes = Json::object();
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    const auto cause = static_cast<CloseCause>(i);
    const auto counts = history.Of(cause);
    const bool any = std::ranges::any_of(counts, [](std::uint64_t n) { return n > 0; });
    if (any) causes[std::string(Describe(cause).word)] = counts;
  }
  return {{"minutes", CloseHistory::kMinutes},
          {"now_minute", Rfc3339(history.minute())},
          {"causes", std::move(causes)}};
}

std::int64_t TurnsInFlight(const MetricSources& metrics) {
  std::int64_t turns = 0;
  ForEachRoute(metrics, [&](std::string_view, std::size_t route) {
    turns += static_cast<std::int64_t>(Sum(metrics, [route](const WorkerMetrics& w) -> auto& {
      return w.route(route).turns_in_flight;
    }));
  });
  return turns;
}

std::string_view WordOf(DrainState state) {
  switch (state) {
    case DrainState::kOff:
      return "off";
    case DrainState::kDelay:
      return "delay";
    case DrainState::kDraining:
      return "draining";
  }
  return {};
}

}  // namespace

Json DrainJson(const AdminServer::Sources& sources) {
  const std::vector<std::string> routes = RouteNames(sources);
  const MetricSources metrics{routes, sources.workers};
  std::int64_t left = 0;
  for (const auto& tunnels : AllTunnelsJson(metrics)) left += tunnels.get<std::int64_t>();
  return {{"state", WordOf(sources.state->drain.load())},
          {"deadline", TimeOrNull(sources.state->drain_deadline.load())},
          {"left", left}};
}

Json ConfigStateJson(const ProcessState& state) {
  const std::string error = state.reload_error();
  return {{"generation", state.generation.load()},
          {"loaded_at", TimeOrNull(state.loaded_at.load())},
          {"last_error", error.empty() ? Json() : Json(error)}};
}

Json OverviewJson(const AdminServer::Sources& sources, const CloseHistory& history,
                  std::chrono::system_clock::time_point now) {
  const std::vector<std::string> names = RouteNames(sources);
  const MetricSources metrics{names, sources.workers};
  const auto whole = [&metrics](auto member) {
    return static_cast<std::int64_t>(
        Sum(metrics, [member](const WorkerMetrics& w) -> auto& { return w.*member; }));
  };
  Json routes = Json::array();
  ForEachRoute(metrics, [&](std::string_view name, std::size_t route) {
    if (!name.empty()) routes.push_back({{"name", name}, {"tunnels", TunnelsJson(metrics, route)}});
  });
  const std::chrono::system_clock::time_point started = ProcessStart();
  return {{"version", CONNGUARD_VERSION},
          {"started_at", Rfc3339(started)},
          {"now", Rfc3339(now)},
          {"workers", sources.workers.size()},
          {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(now - started).count()},
          {"connections", whole(&WorkerMetrics::connections)},
          {"fence_keys", whole(&WorkerMetrics::fence_keys)},
          {"turns_in_flight", TurnsInFlight(metrics)},
          {"buffered_bytes", whole(&WorkerMetrics::buffered_bytes)},
          {"tunnels", AllTunnelsJson(metrics)},
          {"drain", DrainJson(sources)},
          {"config", ConfigStateJson(*sources.state)},
          {"routes", std::move(routes)},
          {"drops", DropsJson(history)},
          {"ping_rtt", RttJson(metrics)},
          {"shield", ShieldJson(metrics)}};
}

CloseHistory::Totals CloseTotals(const AdminServer::Sources& sources) {
  CloseHistory::Totals totals{};
  if (sources.workers.empty()) return totals;
  const std::vector<std::string> routes = RouteNames(sources);
  const MetricSources metrics{routes, sources.workers};
  ForEachRoute(metrics, [&](std::string_view, std::size_t route) {
    for (std::size_t i = 0; i < kCloseCauses; ++i) {
      for (std::size_t code = 0; code < kCodeClassWords.size(); ++code) {
        totals[i] += static_cast<std::uint64_t>(
            Sum(metrics, [route, i, code](const WorkerMetrics& w) -> auto& {
              return w.route(route).closes.at(i).at(code);
            }));
      }
    }
  });
  return totals;
}

}  // namespace connguard
