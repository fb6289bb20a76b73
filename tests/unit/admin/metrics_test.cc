// The metrics page: that it is what Prometheus reads, and that its figures are the workers' sums.
#include "admin/metrics.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "admin/metrics_page.h"
#include "admin/metrics_table.h"
#include "connguard/close_cause.h"

namespace connguard {
namespace {

using prometheus::MetricType;

// The exposition text, read strictly: family by family, each with HELP, TYPE and then its samples.
struct Page {
  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;  // by `name{labels}` as it stands there

  double At(const std::string& sample) const {
    const auto found = samples.find(sample);
    EXPECT_NE(found, samples.end()) << sample;
    return found == samples.end() ? -1 : found->second;
  }
};

Page Parse(const std::string& text) {
  static const std::regex help(R"(# HELP ([a-z_]+) \S.*)");
  static const std::regex type(R"(# TYPE ([a-z_]+) (counter|gauge|histogram))");
  static const std::regex sample(R"(([a-z_]+)(\{([a-z_]+="[^"\\]*",?)*\})? (-?[0-9.e+-]+|\+Inf))");
  Page page;
  std::string family;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      family = match[1];
    } else if (std::regex_match(line, match, type)) {
      EXPECT_EQ(match[1], family) << "TYPE without HELP";
      EXPECT_TRUE(page.types.emplace(family, match[2]).second) << family << " comes twice";
    } else if (std::regex_match(line, match, sample)) {
      EXPECT_TRUE(match[1].str().starts_with(family)) << line;
      EXPECT_TRUE(page.types.contains(family)) << line;
      EXPECT_TRUE(page.samples.emplace(match[1].str() + match[2].str(), std::stod(match[4])).second)
          << line << " comes twice";
    } else {
      ADD_FAILURE() << "not a line of the format: " << line;
    }
  }
  return page;
}

class MetricsPageTest : public testing::Test {
 protected:
  Page Read() const { return Parse(page_.Render()); }

  WorkerMetrics one_{2};
  WorkerMetrics two_{2};
  ProcessState process_;
  MetricsPage page_{
      [] { return std::vector<std::string>{"chat", "rest"}; }, {&one_, &two_}, &process_};
};

TEST_F(MetricsPageTest, EveryRowOfTheTableIsOnThePageWithHelpAndType) {
  const Page page = Read();
  std::set<std::string> names;
  for (const MetricRow& row : MetricsTable()) names.insert(std::string(row.name));
  std::set<std::string> shown;
  for (const auto& [name, type] : page.types) shown.insert(name);
  EXPECT_EQ(shown, names);
  EXPECT_GE(names.size(), 18U);
}

TEST_F(MetricsPageTest, FiguresAreTheSumsOverTheWorkers) {
  one_.connections.Add(5);
  one_.connections.Sub(2);
  two_.connections.Add(4);
  one_.connections_accepted.Add();
  two_.connections_accepted.Add(8);
  one_.route(0).bytes_up.Add(100);
  two_.route(0).bytes_up.Add(23);
  two_.route(1).bytes_down.Add(7);
  one_.route(0).messages_down.Add(3);
  one_.route(1).tunnels[TunnelPhase::kShielded].Add(2);
  two_.route(1).tunnels[TunnelPhase::kShielded].Add(1);
  one_.route(0).turns[TurnOutcome::kOverdue].Add(6);
  two_.route(1).http_requests[ClassOf(404)].Add(9);
  two_.heartbeat_timeouts[Side::kUpstream].Add(2);
  two_.fence_keys.Set(11);
  const Page page = Read();
  EXPECT_EQ(page.At("connguard_connections"), 7);
  EXPECT_EQ(page.At("connguard_connections_accepted_total"), 9);
  EXPECT_EQ(page.At(R"(connguard_bytes_total{route="chat",direction="up"})"), 123);
  EXPECT_EQ(page.At(R"(connguard_bytes_total{route="chat",direction="down"})"), 0);
  EXPECT_EQ(page.At(R"(connguard_bytes_total{route="rest",direction="down"})"), 7);
  EXPECT_EQ(page.At(R"(connguard_messages_total{route="chat",direction="down"})"), 3);
  EXPECT_EQ(page.At(R"(connguard_tunnels{route="rest",state="shielded"})"), 3);
  EXPECT_EQ(page.At(R"(connguard_tunnels{route="rest",state="open"})"), 0);
  EXPECT_EQ(page.At(R"(connguard_turns_total{route="chat",outcome="overdue"})"), 6);
  EXPECT_EQ(page.At(R"(connguard_http_requests_total{route="rest",class="4xx"})"), 9);
  EXPECT_EQ(page.At(R"(connguard_heartbeat_timeouts_total{side="upstream"})"), 2);
  EXPECT_EQ(page.At("connguard_fence_keys"), 11);
  EXPECT_EQ(page.At("connguard_workers"), 2);
}

TEST_F(MetricsPageTest, LargeCountersLoseNoDigits) {
  one_.route(0).bytes_down.Add(9'007'199'254'740'991);
  EXPECT_NE(page_.Render().find(R"(direction="down"} 9007199254740991)"), std::string::npos);
}

TEST_F(MetricsPageTest, AHistogramsBucketsAreCumulativeAndInSeconds) {
  one_.route(0).handshake_hold.Observe(Millis(5));  // inclusive
  one_.route(0).handshake_hold.Observe(std::chrono::microseconds(5'001));
  two_.route(0).handshake_hold.Observe(Millis(400));
  two_.route(0).handshake_hold.Observe(Millis(61'000));
  const Page page = Read();
  const auto bucket = [&page](const std::string& bound) {
    return page.At(R"(connguard_handshake_hold_seconds_bucket{route="chat",le=")" + bound + "\"}");
  };
  EXPECT_EQ(bucket("0.005"), 1);
  EXPECT_EQ(bucket("0.01"), 2);
  EXPECT_EQ(bucket("0.25"), 2);
  EXPECT_EQ(bucket("0.5"), 3);
  EXPECT_EQ(bucket("60"), 3);
  EXPECT_EQ(bucket("+Inf"), 4);
  EXPECT_EQ(page.At(R"(connguard_handshake_hold_seconds_count{route="chat"})"), 4);
  EXPECT_NEAR(page.At(R"(connguard_handshake_hold_seconds_sum{route="chat"})"), 61.410001, 1e-9);
  EXPECT_EQ(page.At(R"(connguard_shield_seconds_count{route="chat"})"), 0);
}

TEST_F(MetricsPageTest, EveryCloseCauseHasItsOwnSampleWithItsWords) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    one_.route(0).closes[static_cast<CloseCause>(i)][CodeClass::k3xxx].Add(++n);
  }
  const Page page = Read();
  n = 0;
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    const CloseCauseRow& row = Describe(static_cast<CloseCause>(i));
    EXPECT_EQ(page.At("connguard_closes_total{route=\"chat\",cause=\"" + std::string(row.word) +
                      "\",by=\"" + std::string(row.by) + "\",code_class=\"3xxx\"}"),
              ++n);
  }
}

TEST_F(MetricsPageTest, ACloseIsShownWithTheCodeOfItsCauseAndWithThoseThatWereSeen) {
  one_.route(0).closes[CloseCause::kSuperseded][CodeClass::k4xxx].Add(2);
  two_.route(0).closes[CloseCause::kSuperseded][CodeClass::k4xxx].Add(1);
  one_.route(0).closes[CloseCause::kClientClosed][CodeClass::k1001].Add(4);
  const Page page = Read();
  const auto sample = [](const std::string& cause, const std::string& code) {
    return "connguard_closes_total{route=\"chat\"," + cause + ",code_class=\"" + code + "\"}";
  };
  const std::string superseded = R"(cause="superseded",by="guard")";
  const std::string closed = R"(cause="client_closed",by="client")";
  EXPECT_EQ(page.At(sample(superseded, "4xxx")), 3);
  EXPECT_FALSE(page.samples.contains(sample(superseded, "none")));
  EXPECT_EQ(page.At(sample(closed, "1001")), 4);
  EXPECT_EQ(page.At(sample(closed, "none")), 0);
  EXPECT_FALSE(page.samples.contains(sample(closed, "1000")));
}

TEST_F(MetricsPageTest, TurnsAreShownByOutcomeWithTheirTimes) {
  one_.route(0).turns_in_flight.Add(3);
  two_.route(0).turns_in_flight.Add(4);
  one_.route(0).turn_duration[TurnOutcome::kDelivered].Observe(Millis(300));
  two_.route(0).turn_duration[TurnOutcome::kDelivered].Observe(Millis(700));
  two_.route(0).turn_duration[TurnOutcome::kAborted].Observe(Millis(10));
  const Page page = Read();
  const std::string name = "connguard_turn_duration_seconds";
  EXPECT_EQ(page.At(R"(connguard_turns_in_flight{route="chat"})"), 7);
  EXPECT_EQ(page.At(name + R"(_bucket{route="chat",outcome="delivered",le="0.5"})"), 1);
  EXPECT_EQ(page.At(name + R"(_count{route="chat",outcome="delivered"})"), 2);
  EXPECT_NEAR(page.At(name + R"(_sum{route="chat",outcome="delivered"})"), 1, 1e-9);
  EXPECT_EQ(page.At(name + R"(_count{route="chat",outcome="aborted"})"), 1);
  EXPECT_EQ(page.At(name + R"(_count{route="chat",outcome="orphaned"})"), 0);
}

TEST_F(MetricsPageTest, FenceOutcomesAndTheLagOfTheLoopsAreShown) {
  one_.fence_outcomes[FenceOutcome::kGrantedAfterWait].Add(2);
  two_.fence_outcomes[FenceOutcome::kGrantedAfterWait].Add(3);
  one_.event_loop_lag.Observe(Millis(4));
  two_.event_loop_lag.Observe(Millis(40));
  const Page page = Read();
  EXPECT_EQ(page.At(R"(connguard_fence_outcomes_total{outcome="granted_after_wait"})"), 5);
  EXPECT_EQ(page.At(R"(connguard_fence_outcomes_total{outcome="conflict"})"), 0);
  EXPECT_EQ(page.At(R"(connguard_event_loop_lag_seconds_bucket{le="0.005"})"), 1);
  EXPECT_EQ(page.At("connguard_event_loop_lag_seconds_count"), 2);
}

TEST_F(MetricsPageTest, TheConfigurationAndTheDrainAreTheProcesss) {
  EXPECT_EQ(Read().At("connguard_config_last_reload_successful"), 1);
  EXPECT_EQ(Read().At("connguard_draining"), 0);
  process_.generation = 7;
  process_.loaded_at = ProcessState::Time(Millis(1'500));
  process_.last_reload_ok = false;
  process_.reloads_applied = 6;
  process_.reloads_unchanged = 2;
  process_.reloads_rejected = 1;
  process_.drain = DrainState::kDelay;
  const Page page = Read();
  EXPECT_EQ(page.At("connguard_config_generation"), 7);
  EXPECT_EQ(page.At("connguard_config_last_reload_success_timestamp_seconds"), 1.5);
  EXPECT_EQ(page.At("connguard_config_last_reload_successful"), 0);
  EXPECT_EQ(page.At(R"(connguard_reloads_total{result="applied"})"), 6);
  EXPECT_EQ(page.At(R"(connguard_reloads_total{result="unchanged"})"), 2);
  EXPECT_EQ(page.At(R"(connguard_reloads_total{result="rejected"})"), 1);
  EXPECT_EQ(page.At("connguard_draining"), 1);
}

TEST_F(MetricsPageTest, EveryHandshakeResultHasItsOwnSample) {
  for (std::size_t i = 0; i < kHandshakeResultWords.size(); ++i) {
    one_.route(1).handshakes[static_cast<HandshakeResult>(i)].Add(i + 1);
  }
  const Page page = Read();
  for (std::size_t i = 0; i < kHandshakeResultWords.size(); ++i) {
    EXPECT_EQ(page.At("connguard_handshakes_total{route=\"rest\",result=\"" +
                      std::string(kHandshakeResultWords[i]) + "\"}"),
              i + 1);
  }
}

TEST_F(MetricsPageTest, WhatHasNoRouteIsShownOnlyOnceItHappened) {
  const std::string sample = R"(connguard_handshakes_total{route="",result="not_found"})";
  EXPECT_FALSE(Read().samples.contains(sample));
  one_.unrouted().handshakes[HandshakeResult::kNotFound].Add();
  two_.unrouted().handshakes[HandshakeResult::kNotFound].Add();
  EXPECT_EQ(Read().At(sample), 2);
}

TEST_F(MetricsPageTest, TheProcessHasPlausibleFigures) {
  const Page page = Read();
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(page.At("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(page.At("process_cpu_seconds_total"), 0);
  EXPECT_GE(page.At("process_open_fds"), 3);
  EXPECT_GE(page.At("process_max_fds"), page.At("process_open_fds"));
  EXPECT_LT(page.At("process_start_time_seconds"), now + 1);
  EXPECT_GT(page.At("process_start_time_seconds"), now - 600);
}

TEST_F(MetricsPageTest, AScrapeWhileAWorkerWritesSeesFiguresThatOnlyGrow) {
  std::jthread writer([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) one_.route(0).bytes_up.Add(3);
  });
  double last = 0;
  for (int i = 0; i < 20; ++i) {
    const double now = Read().At(R"(connguard_bytes_total{route="chat",direction="up"})");
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(MetricsTableTest, NamesFollowPrometheusRules) {
  const std::regex form("(connguard|process)(_[a-z]+)+");
  std::set<std::string_view> names;
  for (const MetricRow& row : MetricsTable()) {
    const std::string name(row.name);
    EXPECT_TRUE(names.insert(row.name).second) << name << " comes twice";
    EXPECT_TRUE(std::regex_match(name, form)) << name;
    EXPECT_EQ(name.ends_with("_total"), row.type == MetricType::Counter) << name;
    EXPECT_FALSE(std::regex_search(name, std::regex("(_ms|_millis|_kb|_minutes|_count|_sum)(_|$)")))
        << name << ": not a base unit, or a reserved suffix";
    EXPECT_TRUE(row.type != MetricType::Histogram || name.ends_with("_seconds")) << name;
    EXPECT_TRUE(row.help.ends_with('.')) << name;
  }
}

TEST(MetricsTableTest, NoLabelCanHoldWhatAClientChose) {
  const std::set<std::string_view> bounded = {
      "route", "state", "result",  "outcome",    "cause", "by", "direction",
      "class", "side",  "version", "code_class", "file"};  // of a certificate: the operator's
  for (const MetricRow& row : MetricsTable()) {
    for (const std::string_view label : row.labels) EXPECT_TRUE(bounded.contains(label)) << label;
  }
}

TEST(MetricsTableTest, EverySampleHasExactlyTheLabelsOfItsRow) {
  WorkerMetrics worker(1);
  const std::vector<std::string> routes = {"chat"};
  const std::vector<const WorkerMetrics*> workers = {&worker};
  ProcessState process;
  process.SetCertificates({{.file = "tls/server.crt"}});
  for (const MetricRow& row : MetricsTable()) {
    prometheus::MetricFamily family;
    family.type = row.type;
    row.collect(row, {routes, workers, &process}, family);
    EXPECT_FALSE(family.metric.empty()) << row.name;
    for (const auto& sample : family.metric) {
      ASSERT_EQ(sample.label.size(), row.labels.size()) << row.name;
      for (std::size_t i = 0; i < row.labels.size(); ++i) {
        EXPECT_EQ(sample.label[i].name, row.labels[i]) << row.name;
      }
    }
  }
}

TEST(MetricsTableTest, TheReferenceNamesEveryMetric) {
  const std::string text = MetricsReference();
  for (const MetricRow& row : MetricsTable()) {
    EXPECT_NE(text.find("| `" + std::string(row.name) + "` | "), std::string::npos) << row.name;
  }
  EXPECT_NE(text.find("| `connguard_turns_total` | counter | `route`, `outcome` | Turns"),
            std::string::npos);
}

TEST(MetricsTest, ACloseCodeFallsIntoItsClass) {
  EXPECT_EQ(CodeClassOf(CloseCode::kAbnormal), CodeClass::kNone);
  EXPECT_EQ(CodeClassOf(CloseCode::kNone), CodeClass::kNone);
  EXPECT_EQ(CodeClassOf(CloseCode::kNormal), CodeClass::k1000);
  EXPECT_EQ(CodeClassOf(CloseCode::kGoingAway), CodeClass::k1001);
  EXPECT_EQ(CodeClassOf(CloseCode::kServiceRestart), CodeClass::k1xxx);
  EXPECT_EQ(CodeClassOf(CloseCode{3000}), CodeClass::k3xxx);
  EXPECT_EQ(CodeClassOf(CloseCode{3999}), CodeClass::k3xxx);
  EXPECT_EQ(CodeClassOf(CloseCode::kSuperseded), CodeClass::k4xxx);
}

TEST(MetricsTest, AStatusOutsideTheFiveClassesCountsAsAServersError) {
  EXPECT_EQ(ClassOf(101), HttpClass::k1xx);
  EXPECT_EQ(ClassOf(499), HttpClass::k4xx);
  EXPECT_EQ(ClassOf(503), HttpClass::k5xx);
  EXPECT_EQ(ClassOf(0), HttpClass::k5xx);
  EXPECT_EQ(ClassOf(999), HttpClass::k5xx);
}

TEST(MetricsTest, NoTwoWorkersShareACacheLine) {
  EXPECT_EQ(alignof(WorkerMetrics) % kCacheLine, 0U);
  const WorkerMetrics worker(3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&worker.route(0)) % kCacheLine, 0U);
  EXPECT_EQ(sizeof(RouteMetrics) % kCacheLine, 0U);
}

}  // namespace
}  // namespace connguard
