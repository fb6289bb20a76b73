// The table of all metrics.
#include "admin/metrics_table.h"

#include <array>
#include <cstddef>

#include "admin/collect.h"
#include "admin/process_figures.h"
#include "connguard/close_cause.h"
#include "log/log.h"

namespace connguard {
namespace {

using prometheus::MetricFamily;
using Type = prometheus::MetricType;
using Labels = std::span<const std::string_view>;

constexpr auto kRoute = std::to_array<std::string_view>({"route"});
constexpr auto kRouteState = std::to_array<std::string_view>({"route", "state"});
constexpr auto kRouteResult = std::to_array<std::string_view>({"route", "result"});
constexpr auto kRouteOutcome = std::to_array<std::string_view>({"route", "outcome"});
constexpr auto kRouteCauseBy = std::to_array<std::string_view>({"route", "cause", "by"});
constexpr auto kRouteDirection = std::to_array<std::string_view>({"route", "direction"});
constexpr auto kRouteClass = std::to_array<std::string_view>({"route", "class"});
constexpr auto kSide = std::to_array<std::string_view>({"side"});
constexpr auto kVersion = std::to_array<std::string_view>({"version"});

void CollectBuildInfo(const MetricRow& row, const MetricSources&, MetricFamily& family) {
  AddNumber(row, family, {CONNGUARD_VERSION}, 1);
}

void CollectWorkerCount(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  AddNumber(row, family, {}, static_cast<double>(sources.workers.size()));
}

void CollectCloses(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    for (std::size_t i = 0; i < kCloseCauses; ++i) {
      const CloseCauseRow& cause = Describe(static_cast<CloseCause>(i));
      const double sum = Sum(sources, [route, i](const WorkerMetrics& w) -> auto& {
        return w.route(route).closes.at(i);
      });
      if (!name.empty() || sum != 0) AddNumber(row, family, {name, cause.word, cause.by}, sum);
    }
  });
}

void CollectLogLinesDropped(const MetricRow& row, const MetricSources&, MetricFamily& family) {
  AddNumber(row, family, {}, static_cast<double>(LogLinesDropped()));
}

template <double (*kRead)()>
void CollectProcess(const MetricRow& row, const MetricSources&, MetricFamily& family) {
  AddNumber(row, family, {}, kRead());
}

constexpr auto kTable = std::to_array<MetricRow>({
    {"connguard_build_info", Type::Gauge, kVersion, "Always 1; the label says which version runs.",
     CollectBuildInfo},
    {"connguard_workers", Type::Gauge, Labels(), "Worker threads.", CollectWorkerCount},
    {"connguard_connections", Type::Gauge, Labels(), "Client connections that are open.",
     CollectWorkers<&WorkerMetrics::connections>},
    {"connguard_connections_accepted_total", Type::Counter, Labels(),
     "Client connections accepted.", CollectWorkers<&WorkerMetrics::connections_accepted>},
    {"connguard_handshakes_total", Type::Counter, kRouteResult,
     "WebSocket handshakes of clients, by how they were answered.",
     CollectRoutesBy<&RouteMetrics::handshakes, kHandshakeResultWords>},
    {"connguard_handshake_hold_seconds", Type::Histogram, kRoute,
     "How long handshakes were held until their session key was free.",
     CollectHistogram<&RouteMetrics::handshake_hold, kHoldBounds>},
    {"connguard_tunnels", Type::Gauge, kRouteState,
     "Upstream sessions by state; shielded: the client is gone, the turn is not over.",
     CollectRoutesBy<&RouteMetrics::tunnels, kTunnelPhaseWords>},
    {"connguard_closes_total", Type::Counter, kRouteCauseBy,
     "Tunnels that ended, by the cause that came first and by whose doing it was.", CollectCloses},
    {"connguard_turns_total", Type::Counter, kRouteOutcome,
     "Turns that ended; orphaned: after their client had gone; aborted: with their upstream; "
     "overdue: given up after turn.max.",
     CollectRoutesBy<&RouteMetrics::turns, kTurnOutcomeWords>},
    {"connguard_shield_seconds", Type::Histogram, kRoute,
     "How long upstream sessions outlived a client that had dropped in mid-turn.",
     CollectHistogram<&RouteMetrics::shield, kShieldBounds>},
    {"connguard_fence_keys", Type::Gauge, Labels(), "Session keys that are held or waited for.",
     CollectWorkers<&WorkerMetrics::fence_keys>},
    {"connguard_fence_takeovers_total", Type::Counter, Labels(),
     "Clients evicted by a newer client of the same session key.",
     CollectWorkers<&WorkerMetrics::fence_takeovers>},
    {"connguard_bytes_total", Type::Counter, kRouteDirection,
     "Bytes relayed through tunnels, frame headers included; up: from clients to upstreams.",
     CollectUpAndDown<&RouteMetrics::bytes_up, &RouteMetrics::bytes_down>},
    {"connguard_messages_total", Type::Counter, kRouteDirection,
     "WebSocket messages relayed whole; up: from clients to upstreams.",
     CollectUpAndDown<&RouteMetrics::messages_up, &RouteMetrics::messages_down>},
    {"connguard_http_requests_total", Type::Counter, kRouteClass,
     "Plain HTTP requests by the class of their answer's status.",
     CollectRoutesBy<&RouteMetrics::http_requests, kHttpClassWords>},
    {"connguard_heartbeat_timeouts_total", Type::Counter, kSide,
     "Peers given up because they showed no sign of life.",
     CollectWorkersBy<&WorkerMetrics::heartbeat_timeouts, kSideWords>},
    {"connguard_ping_rtt_seconds", Type::Histogram, kSide,
     "How long peers took to answer the guard's pings.",
     CollectHistogramBy<&WorkerMetrics::ping_rtt, kSideWords, kRttBounds>},
    {"connguard_upstream_stall_seconds", Type::Histogram, kRoute,
     "How long upstreams that work on a turn said nothing after a pong of theirs was overdue.",
     CollectHistogram<&RouteMetrics::upstream_stall, kShieldBounds>},
    {"connguard_barrier_timeouts_total", Type::Counter, Labels(),
     "Session keys freed although the barrier request had no answer in time.",
     CollectWorkers<&WorkerMetrics::barrier_timeouts>},
    {"connguard_buffered_bytes", Type::Gauge, Labels(),
     "Bytes that are held until a peer takes them or a message is whole.",
     CollectWorkers<&WorkerMetrics::buffered_bytes>},
    {"connguard_buffer_evictions_total", Type::Counter, Labels(),
     "Clients ended because they held the most when limits.buffer_total was exceeded.",
     CollectWorkers<&WorkerMetrics::buffer_evictions>},
    {"connguard_upstream_idle_connections", Type::Gauge, Labels(),
     "Upstream connections that wait for their next request.",
     CollectWorkers<&WorkerMetrics::upstream_idle>},
    {"connguard_upstream_reuses_total", Type::Counter, Labels(),
     "Plain HTTP requests that went on a connection that had been used before.",
     CollectWorkers<&WorkerMetrics::upstream_reuses>},
    {"connguard_upstream_retries_total", Type::Counter, Labels(),
     "Plain HTTP requests sent again because such a connection was dead.",
     CollectWorkers<&WorkerMetrics::upstream_retries>},
    {"connguard_log_lines_dropped_total", Type::Counter, Labels(),
     "Log lines lost because nobody read them fast enough.", CollectLogLinesDropped},
    {"process_cpu_seconds_total", Type::Counter, Labels(),
     "User and system CPU time of the process.", CollectProcess<ProcessCpuSeconds>},
    {"process_start_time_seconds", Type::Gauge, Labels(),
     "When the process was started, since the Unix epoch.", CollectProcess<ProcessStartSeconds>},
    {"process_resident_memory_bytes", Type::Gauge, Labels(), "Resident memory of the process.",
     CollectProcess<ProcessResidentBytes>},
    {"process_open_fds", Type::Gauge, Labels(), "File descriptors that are open.",
     CollectProcess<ProcessOpenDescriptors>},
    {"process_max_fds", Type::Gauge, Labels(), "File descriptors that may be open.",
     CollectProcess<ProcessMaxDescriptors>},
});

}  // namespace

std::span<const MetricRow> MetricsTable() { return kTable; }

}  // namespace connguard
