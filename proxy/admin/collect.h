// How the cells of the workers become the samples of a metric: a template for each shape of row in
// metrics_table.cc.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "admin/metrics_table.h"

namespace connguard {

// Adds a sample whose labels have these values, in the order of the row's labels.
inline prometheus::ClientMetric& AddSample(const MetricRow& row, prometheus::MetricFamily& family,
                                           std::initializer_list<std::string_view> values) {
  prometheus::ClientMetric& sample = family.metric.emplace_back();
  auto name = row.labels.begin();
  for (const std::string_view value : values) {
    sample.label.push_back({std::string(*name++), std::string(value)});
  }
  return sample;
}

inline void AddNumber(const MetricRow& row, prometheus::MetricFamily& family,
                      std::initializer_list<std::string_view> values, double number) {
  prometheus::ClientMetric& sample = AddSample(row, family, values);
  if (family.type == prometheus::MetricType::Counter) {
    sample.counter.value = number;
  } else {
    sample.gauge.value = number;
  }
}

// Calls visit(name, index) for each route, at last for what has none: name "", index kNoRoute.
template <typename Visit>
void ForEachRoute(const MetricSources& sources, Visit visit) {
  for (std::size_t route = 0; route < sources.routes.size(); ++route) {
    visit(std::string_view(sources.routes[route]), route);
  }
  visit(std::string_view(), kNoRoute);
}

// The sum of `cell(worker)` over all workers.
template <typename Cell>
double Sum(const MetricSources& sources, Cell cell) {
  std::remove_cvref_t<decltype(cell(*sources.workers[0]).value())> sum = 0;
  for (const WorkerMetrics* worker : sources.workers) sum += cell(*worker).value();
  return static_cast<double>(sum);
}

// One figure: no labels.
template <auto kMember>
void CollectWorkers(const MetricRow& row, const MetricSources& sources,
                    prometheus::MetricFamily& family) {
  AddNumber(row, family, {},
            Sum(sources, [](const WorkerMetrics& w) -> auto& { return w.*kMember; }));
}

// Labels: an enumeration's word.
template <auto kMember, const auto& kWords>
void CollectWorkersBy(const MetricRow& row, const MetricSources& sources,
                      prometheus::MetricFamily& family) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    AddNumber(row, family, {kWords[i]},
              Sum(sources, [i](const WorkerMetrics& w) -> auto& { return (w.*kMember).at(i); }));
  }
}

// Labels: route, an enumeration's word.
template <auto kMember, const auto& kWords>
void CollectRoutesBy(const MetricRow& row, const MetricSources& sources,
                     prometheus::MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    for (std::size_t i = 0; i < kWords.size(); ++i) {
      const double sum = Sum(sources, [route, i](const WorkerMetrics& w) -> auto& {
        return (w.route(route).*kMember).at(i);
      });
      // Without a route few things can happen; the others would only be noise.
      if (!name.empty() || sum != 0) AddNumber(row, family, {name, kWords[i]}, sum);
    }
  });
}

// Labels: route, direction.
template <auto kUp, auto kDown>
void CollectUpAndDown(const MetricRow& row, const MetricSources& sources,
                      prometheus::MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    const double up =
        Sum(sources, [route](const WorkerMetrics& w) -> auto& { return w.route(route).*kUp; });
    const double down =
        Sum(sources, [route](const WorkerMetrics& w) -> auto& { return w.route(route).*kDown; });
    if (!name.empty() || up != 0) AddNumber(row, family, {name, "up"}, up);
    if (!name.empty() || down != 0) AddNumber(row, family, {name, "down"}, down);
  });
}

// The histogram that `cell(worker)` gives, summed over all workers. Times in seconds.
template <const auto& kBounds, typename Cell>
prometheus::ClientMetric::Histogram SumHistogram(const MetricSources& sources, Cell cell) {
  prometheus::ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i <= kBounds.size(); ++i) {
    double bound = std::numeric_limits<double>::infinity();
    if (i < kBounds.size()) bound = std::chrono::duration<double>(kBounds[i]).count();
    for (const WorkerMetrics* worker : sources.workers) {
      histogram.sample_count += cell(*worker).count(i);
    }
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  for (const WorkerMetrics* worker : sources.workers) {
    histogram.sample_sum += static_cast<double>(cell(*worker).sum_ns()) / 1e9;
  }
  return histogram;
}

// Labels: route.
template <auto kMember, const auto& kBounds>
void CollectHistogram(const MetricRow& row, const MetricSources& sources,
                      prometheus::MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    auto histogram = SumHistogram<kBounds>(
        sources, [route](const WorkerMetrics& w) -> auto& { return w.route(route).*kMember; });
    if (name.empty() && histogram.sample_count == 0) return;
    AddSample(row, family, {name}).histogram = std::move(histogram);
  });
}

// Labels: route, an enumeration's word.
template <auto kMember, const auto& kWords, const auto& kBounds>
void CollectRouteHistogramsBy(const MetricRow& row, const MetricSources& sources,
                              prometheus::MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    for (std::size_t i = 0; i < kWords.size(); ++i) {
      auto histogram = SumHistogram<kBounds>(sources, [route, i](const WorkerMetrics& w) -> auto& {
        return (w.route(route).*kMember).at(i);
      });
      if (name.empty() && histogram.sample_count == 0) continue;
      AddSample(row, family, {name, kWords[i]}).histogram = std::move(histogram);
    }
  });
}

// One histogram: no labels.
template <auto kMember, const auto& kBounds>
void CollectWorkersHistogram(const MetricRow& row, const MetricSources& sources,
                             prometheus::MetricFamily& family) {
  AddSample(row, family, {}).histogram =
      SumHistogram<kBounds>(sources, [](const WorkerMetrics& w) -> auto& { return w.*kMember; });
}

// Labels: route.
template <auto kMember>
void CollectRoutes(const MetricRow& row, const MetricSources& sources,
                   prometheus::MetricFamily& family) {
  ForEachRoute(sources, [&](std::string_view name, std::size_t route) {
    const double sum =
        Sum(sources, [route](const WorkerMetrics& w) -> auto& { return w.route(route).*kMember; });
    if (!name.empty() || sum != 0) AddNumber(row, family, {name}, sum);
  });
}

// Labels: an enumeration's word.
template <auto kMember, const auto& kWords, const auto& kBounds>
void CollectHistogramBy(const MetricRow& row, const MetricSources& sources,
                        prometheus::MetricFamily& family) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    AddSample(row, family, {kWords[i]}).histogram = SumHistogram<kBounds>(
        sources, [i](const WorkerMetrics& w) -> auto& { return (w.*kMember).at(i); });
  }
}

}  // namespace connguard
