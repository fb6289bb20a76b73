// The metrics page: the sum over all workers, in Prometheus' text format.
#include "admin/metrics_page.h"

#include <prometheus/text_serializer.h>

#include <string_view>
#include <utility>

#include "admin/metrics_table.h"

namespace connguard {
namespace {

std::string_view TypeWord(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

}  // namespace

MetricsPage::MetricsPage(RouteNames routes, std::vector<const WorkerMetrics*> workers,
                         const ProcessState* process)
    : routes_(std::move(routes)), workers_(std::move(workers)), process_(process) {}

std::vector<prometheus::MetricFamily> MetricsPage::Collect() const {
  const std::vector<std::string> routes = routes_();
  const MetricSources sources{routes, workers_, process_};
  std::vector<prometheus::MetricFamily> families;
  for (const MetricRow& row : MetricsTable()) {
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = row.name;
    family.help = row.help;
    family.type = row.type;
    row.collect(row, sources, family);
  }
  return families;
}

std::string MetricsPage::Render() const {
  return prometheus::TextSerializer().Serialize(Collect());
}

std::string MetricsReference() {
  std::string text = "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n";
  for (const MetricRow& row : MetricsTable()) {
    text.append("| `").append(row.name).append("` | ").append(TypeWord(row.type)).append(" | ");
    std::string_view separator;
    for (const std::string_view label : row.labels) {
      text.append(separator).append("`").append(label).append("`");
      separator = ", ";
    }
    text.append(" | ").append(row.help).append(" |\n");
  }
  return text;
}

}  // namespace connguard
