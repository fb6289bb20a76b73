// The metrics page: the sum over all workers, in Prometheus' text format.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <string>
#include <vector>

#include "admin/metrics.h"
#include "admin/process_state.h"

namespace connguard {

// Any thread. Figures of one page are read one after the other: a pair of counters may differ by
// what happened in between.
class MetricsPage : public prometheus::Collectable {
 public:
  // The names of all routes, in the order of the workers' figures. Any thread.
  using RouteNames = std::function<std::vector<std::string>()>;

  // The workers, and `process` if there is one, must outlive the page.
  MetricsPage(RouteNames routes, std::vector<const WorkerMetrics*> workers,
              const ProcessState* process = nullptr);

  std::vector<prometheus::MetricFamily> Collect() const override;

  // Text exposition format 0.0.4.
  std::string Render() const;

 private:
  RouteNames routes_;
  std::vector<const WorkerMetrics*> workers_;
  const ProcessState* process_;
};

// The reference of all metrics as a Markdown table.
std::string MetricsReference();

}  // namespace connguard
