// The table of all metrics: what each is called, what it means and where it is read from.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "admin/metrics.h"
#include "admin/process_state.h"

namespace connguard {

// What a scrape reads.
struct MetricSources {
  std::span<const std::string> routes;  // names, in the order of the workers' routes
  std::span<const WorkerMetrics* const> workers;
  const ProcessState* process = nullptr;  // null: its metrics have no samples
};

struct MetricRow;

// Appends the row's samples to `family`, whose name, help and type are set.
using CollectMetric = void (*)(const MetricRow& row, const MetricSources& sources,
                               prometheus::MetricFamily& family);

// Names: prefix connguard_ (process_ where Prometheus has a customary name), base units, _total for
// counters. A label never holds what a client chose: no session key, no path, no address.
struct MetricRow {
  std::string_view name;
  prometheus::MetricType type;
  std::span<const std::string_view> labels;
  std::string_view help;
  CollectMetric collect;
};

std::span<const MetricRow> MetricsTable();

}  // namespace connguard
