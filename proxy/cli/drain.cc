// RunDrain: says it, and watches the guard go.
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "cli/admin_client.h"
#include "cli/commands.h"

namespace connguard {
namespace {

using std::chrono::steady_clock;

constexpr Millis kPatience{2'000};  // for one answer
constexpr Millis kSilence{30'000};  // without any: the guard hangs
constexpr std::string_view kPath = "/v1/drain";

// What a guard says of its drain.
struct State {
  std::string word;  // off, delay, draining
  std::string deadline;
  std::int64_t left = 0;

  friend bool operator==(const State&, const State&) = default;
};

std::optional<State> StateOf(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("state") || !json["state"].is_string()) {
    return std::nullopt;
  }
  State state{.word = json["state"], .deadline = {}, .left = 0};
  if (json.contains("deadline") && json["deadline"].is_string()) state.deadline = json["deadline"];
  if (json.contains("left") && json["left"].is_number_integer()) state.left = json["left"];
  return state;
}

void Print(const State& state, std::ostream& out) {
  out << state.word << ": " << state.left << (state.left == 1 ? " tunnel" : " tunnels") << " left";
  if (!state.deadline.empty()) out << ", at the longest until " << state.deadline;
  out << std::endl;  // whoever waits wants to see it now
}

// False: `file` cannot be read or is empty.
bool ReadToken(const std::string& file, std::string& token) {
  std::ifstream stream(file);
  std::getline(stream, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  return !token.empty();
}

ExitStatus Fail(const DrainOrder& order, const std::string& why, std::ostream& err) {
  err << "cannot drain: " << order.admin.ToString() << ": " << why << '\n';
  return ExitStatus::kRuntime;
}

std::string WhyNot(const AdminReply& reply) {
  if (!reply) return reply.why;
  if (reply.status() == 401) return "a token is needed, or another one (--token-file)";
  return reply.status_line;
}

// Nobody listens there any more.
bool IsGone(const AdminReply& reply) {
  return reply.error == ECONNREFUSED || reply.error == ENOENT;
}

ExitStatus Watch(const DrainOrder& order, const std::string& token, State state, std::ostream& out,
                 std::ostream& err) {
  TimePoint heard = steady_clock::now();
  for (;;) {
    std::this_thread::sleep_for(order.pace);
    const AdminReply reply =
        AskAdmin(order.admin, {.path = kPath, .token = token}, steady_clock::now() + kPatience);
    if (IsGone(reply)) break;
    const TimePoint now = steady_clock::now();
    if (!reply) {
      // It may just be closing, or too busy for a moment.
      if (now >= heard + kSilence) return Fail(order, reply.why, err);
      continue;
    }
    heard = now;
    const std::optional<State> next = StateOf(reply.body);
    if (reply.status() != 200 || !next) return Fail(order, WhyNot(reply), err);
    if (next->word == "off") break;  // another one has taken its place
    if (*next != state) Print(*next, out);
    state = *next;
  }
  out << "stopped\n";
  return ExitStatus::kOk;
}

}  // namespace

ExitStatus RunDrain(const DrainOrder& order, std::ostream& out, std::ostream& err) {
  std::string token;
  if (!order.token_file.empty() && !ReadToken(order.token_file, token)) {
    err << "cannot drain: there is no token in " << order.token_file << '\n';
    return ExitStatus::kRuntime;
  }
  const AdminReply reply = AskAdmin(order.admin, {.method = "POST", .path = kPath, .token = token},
                                    steady_clock::now() + kPatience);
  const std::optional<State> state = StateOf(reply.body);
  if (reply.status() != 202 || !state) return Fail(order, WhyNot(reply), err);
  Print(*state, out);
  return order.wait ? Watch(order, token, *state, out, err) : ExitStatus::kOk;
}

}  // namespace connguard
