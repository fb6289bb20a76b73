// The table of all metrics.
#include "admin/metrics_table.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>

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
constexpr auto kRouteCauseByCode =
    std::to_array<std::string_view>({"route", "cause", "by", "code_class"});
constexpr auto kRouteDirection = std::to_array<std::string_view>({"route", "direction"});
constexpr auto kRouteClass = std::to_array<std::string_view>({"route", "class"});
constexpr auto kSide = std::to_array<std::string_view>({"side"});
constexpr auto kOutcome = std::to_array<std::string_view>({"outcome"});
constexpr auto kResult = std::to_array<std::string_view>({"result"});
constexpr auto kFile = std::to_array<std::string_view>({"file"});
constexpr auto kSideResult = std::to_array<std::string_view>({"side", "result"});
constexpr auto kVersion = std::to_array<std::string_view>({"version"});

void CollectBuildInfo(const MetricRow& row, const MetricSources&, MetricFamily& family) {
  AddNumber(row, family, {CONNGUARD_VERSION}, 1);
}

void CollectWorkerCount(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  AddNumber(row, family, {}, static_cast<double>(sources.workers.size()));
}

// Of the codes that a cause can have, the one that its row names is always shown (a counter should
// be there before it counts), the others when they have been seen.
void CollectCloses(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    for (std::size_t i = 0; i < kCloseCauses; ++i) {
      const CloseCauseRow& cause = Describe(static_cast<CloseCause>(i));
      const auto own = static_cast<std::size_t>(CodeClassOf(cause.to_client));
      for (std::size_t code = 0; code < kCodeClassWords.size(); ++code) {
        const double sum = Sum(sources, [route, i, code](const WorkerMetrics& w) -> auto& {
          return w.route(route).closes.at(i).at(code);
        });
        if (sum == 0 && (name.empty() || code != own)) continue;
        AddNumber(row, family, {name, cause.word, cause.by, kCodeClassWords[code]}, sum);
      }
    }
  });
}

template <double (*kRead)(const ProcessState&)>
void CollectState(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  if (sources.process != nullptr) AddNumber(row, family, {}, kRead(*sources.process));
}

double Generation(const ProcessState& state) { return static_cast<double>(state.generation); }
double Draining(const ProcessState& state) { return state.drain != DrainState::kOff ? 1 : 0; }
double ReloadWasGood(const ProcessState& state) { return state.last_reload_ok ? 1 : 0; }
double LoadedAt(const ProcessState& state) {
  return std::chrono::duration<double>(state.loaded_at.load().time_since_epoch()).count();
}

void CollectReloads(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  if (sources.process == nullptr) return;
  const auto add = [&](std::string_view result, const std::atomic<std::uint64_t>& count) {
    AddNumber(row, family, {result}, static_cast<double>(count));
  };
  add("applied", sources.process->reloads_applied);
  add("unchanged", sources.process->reloads_unchanged);
  add("rejected", sources.process->reloads_rejected);
}

double CertificateFailures(const ProcessState& state) {
  return static_cast<double>(state.certificate_failures);
}

// One sample for each file, though listeners may share it.
void CollectCertificates(const MetricRow& row, const MetricSources& sources, MetricFamily& family) {
  if (sources.process == nullptr) return;
  std::map<std::string, double> files;
  for (const CertificateInfo& certificate : sources.process->certificates()) {
    files[certificate.file] =
        std::chrono::duration<double>(certificate.not_after.time_since_epoch()).count();
  }
  for (const auto& [file, not_after] : files) AddNumber(row, family, {file}, not_after);
}

void CollectTlsHandshakes(const MetricRow& row, const MetricSources& sources,
                          MetricFamily& family) {
  for (std::size_t side = 0; side < kSideWords.size(); ++side) {
    for (std::size_t i = 0; i < kTlsHandshakeWords.size(); ++i) {
      const double sum = Sum(sources, [side, i](const WorkerMetrics& w) -> auto& {
        return w.tls_handshakes.at(side).at(i);
      });
      AddNumber(row, family, {kSideWords[side], kTlsHandshakeWords[i]}, sum);
    }
  }
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
    {"connguard_closes_total", Type::Counter, kRouteCauseByCode,
     "Tunnels that ended, by the cause that came first, by whose doing it was, and by the code of "
     "the Close that the client got or sent.",
     CollectCloses},
    {"connguard_turns_total", Type::Counter, kRouteOutcome,
     "Turns that ended; orphaned: after their client had gone; aborted: with their upstream; "
     "overdue: given up after turn.max.",
     CollectRoutesBy<&RouteMetrics::turns, kTurnOutcomeWords>},
    {"connguard_turn_duration_seconds", Type::Histogram, kRouteOutcome,
     "From the first byte of a client's message to the end of its turn; of more than 8 turns that "
     "are in flight in one tunnel only the oldest are timed.",
     CollectRouteHistogramsBy<&RouteMetrics::turn_duration, kTurnOutcomeWords, kTurnBounds>},
    {"connguard_turns_in_flight", Type::Gauge, kRoute, "Turns that have not ended.",
     CollectRoutes<&RouteMetrics::turns_in_flight>},
    {"connguard_shield_seconds", Type::Histogram, kRoute,
     "How long upstream sessions outlived a client that had dropped in mid-turn.",
     CollectHistogram<&RouteMetrics::shield, kShieldBounds>},
    {"connguard_fence_keys", Type::Gauge, Labels(), "Session keys that are held or waited for.",
     CollectWorkers<&WorkerMetrics::fence_keys>},
    {"connguard_fence_takeovers_total", Type::Counter, Labels(),
     "Clients evicted by a newer client of the same session key.",
     CollectWorkers<&WorkerMetrics::fence_takeovers>},
    {"connguard_fence_outcomes_total", Type::Counter, kOutcome,
     "What became of clients that asked for a session key; abandoned: left, or waited for "
     "session.wait; evicted: held it until a newer client came.",
     CollectWorkersBy<&WorkerMetrics::fence_outcomes, kFenceOutcomeWords>},
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
    {"connguard_tls_handshakes_total", Type::Counter, kSideResult,
     "TLS handshakes, by what came of them.", CollectTlsHandshakes},
    {"connguard_tls_certificate_not_after_timestamp_seconds", Type::Gauge, kFile,
     "When the certificate in use ends, since the Unix epoch.", CollectCertificates},
    {"connguard_tls_certificate_failures_total", Type::Counter, Labels(),
     "Renewed certificates and keys that could not be used; the ones before stay.",
     CollectState<CertificateFailures>},
    {"connguard_event_loop_lag_seconds", Type::Histogram, Labels(),
     "How late the event loops served their timers.",
     CollectWorkersHistogram<&WorkerMetrics::event_loop_lag, kLagBounds>},
    {"connguard_reloads_total", Type::Counter, kResult,
     "Reloads of the configuration, by what came of them.", CollectReloads},
    {"connguard_config_generation", Type::Gauge, Labels(),
     "Number of the configuration in force; every reload that changes something adds 1.",
     CollectState<Generation>},
    {"connguard_config_last_reload_success_timestamp_seconds", Type::Gauge, Labels(),
     "When the configuration in force was loaded, since the Unix epoch.", CollectState<LoadedAt>},
    {"connguard_config_last_reload_successful", Type::Gauge, Labels(),
     "1, or 0 when the last reload was refused.", CollectState<ReloadWasGood>},
    {"connguard_draining", Type::Gauge, Labels(), "1 while the guard is stopping.",
     CollectState<Draining>},
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
