// A child process, its log on a pipe, its figures from its own metrics page.
#include "support/test_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace connguard::testing {

namespace {

using Clock = std::chrono::steady_clock;

std::string Yaml(const GuardSetup& setup) {
  const auto more = [](const std::string& pairs) { return pairs.empty() ? "" : ", " + pairs; };
  return "version: 1\nlisteners: [{name: public, bind: \"" + setup.bind + "\"" +
         more(setup.listener_more) + "}" + setup.more_listeners +
         "]\nupstreams:\n  - {name: agent, url: \"" + setup.upstream +
         "\", traceparent: " + setup.traceparent + more(setup.upstream_more) +
         "}\nroutes:\n  - name: chat\n    match: {path: \"/ws/{user}\"}\n    upstream: agent\n"
         "    session: {" +
         setup.session + "}\n    turn: " + setup.turn + "\n    compression: " + setup.compression +
         "\n    heartbeat: " + setup.heartbeat + "\n  - name: rest\n    match: {path: \"" +
         setup.rest_path + "\"}\n    upstream: agent\n    session: {" + setup.rest_session +
         "}\n    turn: " + setup.turn + "\nlimits: " + setup.limits +
         "\nshutdown: " + setup.shutdown + "\nlogging: " + setup.logging +
         "\nadmin: {bind: 127.0.0.1:0}\nworkers: " + std::to_string(setup.workers) + "\n";
}

std::string WriteConfig(const std::string& text) {
  std::string name = std::filesystem::temp_directory_path() / "connguard-test-XXXXXX";
  const Fd fd(mkostemp(name.data(), O_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), "mkostemp");
  std::ofstream(name) << text;
  return name;
}

// The value of a member of a JSON line: "name":"value".
std::string Member(std::string_view line, std::string_view name) {
  const std::string mark = "\"" + std::string(name) + "\":\"";
  const std::size_t begin = line.find(mark);
  if (begin == std::string::npos) return {};
  return std::string(
      line.substr(begin + mark.size(), line.find('"', begin + mark.size()) - begin - mark.size()));
}

Address ToAddress(const std::string& text) {
  Address address;
  if (text.starts_with("unix:")) {
    address.path = text.substr(5);
    return address;
  }
  const std::size_t colon = text.rfind(':');
  address.host = text.substr(0, colon);
  address.port = static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)));
  return address;
}

}  // namespace

bool Eventually(const std::function<bool()>& condition) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    poll(nullptr, 0, 2);
  }
  return true;
}

TestGuard::TestGuard(const GuardSetup& setup) : file_(WriteConfig(Yaml(setup))) {
  Spawn(file_);
  AwaitListening();
  Metric("connguard_connections");  // whatever the first request makes it open
  Eventually([this] {
    const std::size_t count = Descriptors();
    return std::exchange(descriptors_, count) == count;
  });
}

TestGuard::~TestGuard() {
  if (pid_ >= 0) {
    Signal(SIGTERM);
    EXPECT_EQ(AwaitExit(), 0);
  }
  std::filesystem::remove(file_);
  if (::testing::Test::HasFailure()) std::cerr << "--- the guard:\n" << log_ << "---\n";
}

void TestGuard::Spawn(const std::string& file) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  log_pipe_ = Fd(ends[0]);
  const Fd write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDERR_FILENO);
  std::string binary = CONNGUARD_BINARY;
  std::string flag = "-c";
  std::string name = file;
  std::array<char*, 4> arguments{binary.data(), flag.data(), name.data(), nullptr};
  const int error =
      posix_spawn(&pid_, binary.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), binary);
}

bool TestGuard::ReadLog(Clock::time_point deadline) {
  pollfd one{.fd = log_pipe_.get(), .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0 || poll(&one, 1, static_cast<int>(left)) <= 0) return false;
  std::array<char, 4096> chunk;
  const ssize_t got = read(log_pipe_.get(), chunk.data(), chunk.size());
  if (got <= 0) return false;
  log_.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

void TestGuard::AwaitListening() {
  const Clock::time_point deadline = Clock::now() + kPatience;
  std::size_t at = std::string::npos;
  while ((at = log_.find("\"event\":\"listening\"")) == std::string::npos ||
         log_.find('\n', at) == std::string::npos) {
    if (!ReadLog(deadline)) throw std::runtime_error("the guard does not listen: " + log_);
  }
  const std::string_view line(log_.data() + at, log_.find('\n', at) - at);
  address_ = ToAddress(Member(line, "address"));
  admin_ = ToAddress(Member(line, "admin"));
}

Answer TestGuard::Ask(std::string_view method, std::string_view target) const {
  Peer admin(ConnectTo(admin_), false);
  admin.Send(std::string(method) + " " + std::string(target) +
             " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  Answer answer;
  answer.head = admin.ReadThrough("\r\n\r\n");
  answer.status = std::stoi(answer.head.substr(answer.head.find(' ')));
  answer.body = admin.ReadToEnd();
  return answer;
}

std::string TestGuard::OnlySession() const {
  const std::string list = Ask("GET", "/v1/sessions").body;
  constexpr std::string_view kMark = "\"id\":\"";
  const std::size_t at = list.find(kMark);
  EXPECT_EQ(at, list.rfind(kMark)) << list;
  if (at == std::string::npos) throw std::runtime_error("no session: " + list);
  const std::size_t begin = at + kMark.size();
  return list.substr(begin, list.find('"', begin) - begin);
}

bool TestGuard::Ready() const { return Ask("GET", "/readyz").status == 200; }

double TestGuard::Metric(std::string_view name, std::string_view label) const {
  std::istringstream page(Ask("GET", "/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(page, line);) {
    const bool named = line.starts_with(name) && line.size() > name.size() &&
                       (line[name.size()] == ' ' || line[name.size()] == '{');
    if (named && line.find(label) != std::string::npos) {
      sum += std::stod(line.substr(line.rfind(' ')));
    }
  }
  return sum;
}

void TestGuard::AwaitMetric(std::string_view name, std::string_view label, double value) const {
  double now = 0;
  EXPECT_TRUE(Eventually([&] { return (now = Metric(name, label)) == value; }))
      << name << " " << label << " is " << now << ", not " << value;
}

void TestGuard::AwaitTunnels(std::string_view state, double value) const {
  AwaitMetric("connguard_tunnels", "state=\"" + std::string(state) + "\"", value);
}

void TestGuard::ExpectNothingLeft() const {
  AwaitMetric("connguard_connections", "", 0);
  AwaitMetric("connguard_tunnels", "", 0);
  AwaitMetric("connguard_fence_keys", "", 0);
  std::size_t now = 0;
  EXPECT_TRUE(Eventually([&] { return (now = Descriptors()) <= descriptors_; }))
      << now << " descriptors, " << descriptors_ << " at the start";
}

void TestGuard::Signal(int number) const { kill(pid_, number); }

void TestGuard::Rewrite(const GuardSetup& setup) const {
  std::filesystem::rename(WriteConfig(Yaml(setup)), file_);
}

void TestGuard::RemoveFile() const { std::filesystem::remove(file_); }

void TestGuard::AwaitLog(std::string_view event) {
  const std::string mark = "\"event\":\"" + std::string(event) + "\"";
  const Clock::time_point deadline = Clock::now() + kPatience;
  std::size_t at = std::string::npos;
  while ((at = log_.find(mark, log_seen_)) == std::string::npos ||
         log_.find('\n', at) == std::string::npos) {
    if (!ReadLog(deadline)) throw std::runtime_error("no line of the log says " + mark);
  }
  log_seen_ = log_.find('\n', at);
}

std::string TestGuard::AwaitLine(std::string_view text, std::string_view other) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = log_.find('\n', begin);
    if (end == std::string::npos) {
      if (!ReadLog(deadline)) return {};
      continue;
    }
    std::string line = log_.substr(begin, end - begin);
    if (line.find(text) != std::string::npos && line.find(other) != std::string::npos) return line;
    begin = end + 1;
  }
}

int TestGuard::AwaitExit() {
  const Clock::time_point deadline = Clock::now() + 2 * kPatience;
  while (ReadLog(deadline)) continue;
  if (Clock::now() >= deadline) {
    ADD_FAILURE() << "the guard does not end";
    kill(pid_, SIGKILL);
  }
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::size_t TestGuard::Descriptors() const {
  const auto entries = std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

long TestGuard::ResidentMemory() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

}  // namespace connguard::testing
