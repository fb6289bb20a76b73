// TestGuard: the real binary, with a configuration made for one test.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "net/socket.h"
#include "support/test_client.h"

namespace connguard::testing {

// What a test wants other than what is right for most: each is put into the configuration as it
// stands. One route `/ws/{user}` (named chat), fenced by user, and `/**` (rest), not fenced.
struct GuardSetup {
  std::string upstream = {};  // url; TestOrigin::url()
  std::string upstream_more = {};
  // Off, so that tests can say what an origin gets byte by byte; trace_test.cc is about it.
  std::string traceparent = "false";
  std::string session = "key: \"{path.user}\", settle: 0, close_timeout: 2s";
  std::string turn = "{end: each-answer, linger: 0}";
  std::string compression = "passthrough";
  std::string heartbeat = "{}";
  std::string limits = "{}";
  std::string shutdown = "{drain: 5s}";
  std::string logging = "{}";
  std::string bind = "127.0.0.1:0";
  std::string listener_more = {};
  std::string more_listeners = {};  // each begins with a comma
  int workers = 1;
  std::string rest_path = "/**";  // what the route rest matches
  std::string rest_session = {};
};

// Runs until it is destroyed, which checks that it ends by SIGTERM with status 0: no sanitizer has
// complained, nothing leaked. What it wrote is shown when the test has failed.
class TestGuard {
 public:
  explicit TestGuard(const GuardSetup& setup);
  ~TestGuard();
  TestGuard(const TestGuard&) = delete;
  TestGuard& operator=(const TestGuard&) = delete;

  const Address& address() const { return address_; }
  TestClient Connect(int receive_buffer = 0) const { return TestClient(address_, receive_buffer); }
  pid_t pid() const { return pid_; }

  // What the admin endpoints answer, with its body.
  Answer Ask(std::string_view method, std::string_view target) const;
  // The id of the one session that there is.
  std::string OnlySession() const;

  // The sum over all samples of a metric, or over those whose labels contain `label`.
  double Metric(std::string_view name, std::string_view label = "") const;
  // As /readyz has it.
  bool Ready() const;
  // Waits until it has this value.
  void AwaitMetric(std::string_view name, std::string_view label, double value) const;
  // Tunnels of a state: dialing, open, shielded, closing.
  void AwaitTunnels(std::string_view state, double value) const;
  // No connection, no tunnel, no session key, and no descriptor more than at the start.
  void ExpectNothingLeft() const;

  void Signal(int number) const;
  // Puts another configuration in the file's place.
  void Rewrite(const GuardSetup& setup) const;
  void RemoveFile() const;
  // Waits for one more line of this event. What has been waited for is not found again.
  void AwaitLog(std::string_view event);
  const std::string& log() const { return log_; }
  // Waits for a line of the log, from its begin on, that holds both; empty after kPatience.
  std::string AwaitLine(std::string_view text, std::string_view other = {});
  // Waits for its end; returns its exit status.
  int AwaitExit();

  // In kilobytes.
  long ResidentMemory() const;

 private:
  void Spawn(const std::string& file);
  void AwaitListening();
  bool ReadLog(std::chrono::steady_clock::time_point deadline);
  std::size_t Descriptors() const;

  pid_t pid_ = -1;
  Fd log_pipe_;
  std::string log_;
  std::size_t log_seen_ = 0;
  std::string file_;
  Address address_;
  Address admin_;
  std::size_t descriptors_ = 0;
};

// Asks again and again until `condition` holds; false after kPatience.
bool Eventually(const std::function<bool()>& condition);

}  // namespace connguard::testing
