// The control thread's way out, with a worker that is asked but does not run.
#include "app/control.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/test_certificates.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;

constexpr unsigned kPatienceSeconds = 30;
constexpr std::chrono::milliseconds kMoment = 245ms;  // 250, as the loop's clock has them

std::shared_ptr<const Config> Towards(const std::string& upstream) {
  return std::make_shared<const Config>(QuickConfig("127.0.0.1:0", upstream).config.value());
}

class Ending {
 public:
  void Run() { control_.Run({&worker_}, {{}}); }
  Control& control() { return control_; }
  const ProcessState& state() const { return state_; }

 private:
  ProcessState state_;
  RouteNumbers routes_;
  EventFeed feed_;
  Control control_{Towards("127.0.0.1:1"),
                   {.load = [] { return QuickConfig("127.0.0.1:0", "nowhere.invalid:1"); },
                    .file = "a file",
                    .watch = false},
                   state_,
                   feed_,
                   routes_};
  Shared shared_{.initial = control_.Initial(),
                 .feed = feed_,
                 .held = std::vector<Shared::Held>(1),
                 .on_idle = [] {}};
  Worker worker_{shared_, 0, {}};
};

// A loop that does not end ends the test.
class ControlTest : public ::testing::Test {
 protected:
  ControlTest() { alarm(kPatienceSeconds); }
  ~ControlTest() override { alarm(0); }
};

// The look-up of the new name was begun on a loop that nobody ended any more.
TEST_F(ControlTest, AReloadInTheSameBreathAsTheEndIsNotBegun) {
  Ending ending;
  bool told = false;
  ending.control().WorkerIsIdle();
  ending.control().RequestReload([&told](const ReloadOutcome&) { told = true; });
  ending.Run();
  EXPECT_FALSE(told);
  EXPECT_EQ(ending.state().generation, 1U);
}

// A configuration that nobody can read is no reason to serve certificates that have expired.
TEST_F(ControlTest, ARejectedReloadRenewsTheCertificatesInForce) {
  const testing::CertificateFolder folder;
  const testing::TestCertificate certificate =
      testing::TestAuthority().Issue({.names = {"localhost"}});
  Config config = QuickConfig("127.0.0.1:0", "127.0.0.1:1").config.value();
  config.listeners[0].tls = {.certificates = {folder.Write("server", certificate)}};
  ProcessState state;
  RouteNumbers routes;
  EventFeed feed;
  Control control(std::make_shared<const Config>(config),
                  {.load = [] { return LoadResult{{}, {{"a file", 1, 1, "nonsense"}}}; },
                   .file = "a file",
                   .watch = false},
                  state, feed, routes);
  folder.WriteText("server.crt", "broken");
  std::uint64_t failures = 0;
  control.RequestReload([&](const ReloadOutcome&) {
    failures = state.certificate_failures;
    raise(SIGTERM);
    raise(SIGINT);
    raise(SIGTERM);
  });
  control.Run({}, {});
  EXPECT_EQ(failures, 1U);
}

// A worker that freed 500 routes kept its clients waiting for milliseconds.
TEST_F(ControlTest, WhatAWorkerLetsGoLastIsFreedByTheControlThread) {
  ProcessState state;
  RouteNumbers routes;
  EventFeed feed;
  Control control(Towards("127.0.0.1:1"),
                  {.load = [] { return QuickConfig("127.0.0.1:0", "127.0.0.1:2"); },
                   .file = "a file",
                   .watch = false},
                  state, feed, routes);
  ConfigInForce initial = control.Initial();
  const std::weak_ptr<const Config> before = control.config();
  bool freed_by_the_worker = true;
  bool freed = false;
  control.RequestReload([&](const ReloadOutcome&) {
    std::thread([&] { initial = {}; }).join();
    freed_by_the_worker = before.expired();
    control.Post([&] {
      control.Post([&] {
        freed = before.expired();
        for (const int signal : {SIGTERM, SIGINT, SIGTERM}) raise(signal);
      });
    });
  });
  control.Run({}, {});
  EXPECT_FALSE(freed_by_the_worker);
  EXPECT_TRUE(freed);
}

// How long it takes from `signals` stop signals, all there at once, to the end.
std::chrono::milliseconds TimeToEnd(int signals) {
  Ending ending;
  for (int i = 0; i < signals; ++i) raise(i % 2 == 0 ? SIGTERM : SIGINT);
  const auto begin = std::chrono::steady_clock::now();
  ending.Run();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

TEST_F(ControlTest, ASecondSignalLeavesAMomentForLastWords) { EXPECT_GE(TimeToEnd(2), kMoment); }

// A busy machine may make one of them late.
TEST_F(ControlTest, AThirdSignalLeavesNone) {
  std::chrono::milliseconds least = kMoment;
  for (int i = 0; i < 10 && least >= kMoment; ++i) least = std::min(least, TimeToEnd(3));
  EXPECT_LT(least, kMoment);
}

}  // namespace
}  // namespace connguard
