// RunDrain: says it, and watches the guard go.
#include <algorithm>
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
constexpr Millis kBeginPace{50};    // between two questions, until it has begun
constexpr Millis kSilence{30'000};  // without any: the guard hangs
constexpr std::string_view kPath = "/v1/drain";
constexpr std::string_view kOff = "off";  // the word of a guard that does not drain

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

// What becomes of a drain that was ordered.
class Watch {
 public:
  Watch(const DrainOrder& order, const std::string& token, std::ostream& out, std::ostream& err)
      : order_(order), token_(token), out_(out), err_(err) {}

  // Until it has begun: the order is answered before it is carried out. nullopt: it has.
  std::optional<ExitStatus> Begin(State state) {
    const TimePoint deadline = steady_clock::now() + order_.patience;
    while (state.word == kOff) {
      if (steady_clock::now() >= deadline) {
        return Fail(order_, "it was told, but has not begun to drain", err_);
      }
      if (const auto end = Next(state, std::min(order_.pace, kBeginPace))) return end;
    }
    Print(state, out_);
    state_ = std::move(state);
    return std::nullopt;
  }

  // From then on to its end.
  ExitStatus ToTheEnd() {
    for (;;) {
      State next = state_;
      if (const auto end = Next(next, order_.pace)) return *end;
      if (next.word == kOff) return Stopped();  // another one has taken its place
      if (next != state_) Print(next, out_);
      state_ = std::move(next);
    }
  }

 private:
  // Asks once more, after a pause; `state` stays as it is when nobody answers for the moment.
  std::optional<ExitStatus> Next(State& state, Millis pause) {
    std::this_thread::sleep_for(pause);
    const AdminReply reply =
        AskAdmin(order_.admin, {.path = kPath, .token = token_}, steady_clock::now() + kPatience);
    if (IsGone(reply)) return Stopped();
    const TimePoint now = steady_clock::now();
    if (!reply) {
      // It may just be closing, or too busy for a moment.
      return now < heard_ + kSilence ? std::nullopt : Failed(reply.why);
    }
    heard_ = now;
    std::optional<State> next = StateOf(reply.body);
    if (reply.status() != 200 || !next) return Failed(WhyNot(reply));
    state = *std::move(next);
    return std::nullopt;
  }

  std::optional<ExitStatus> Failed(const std::string& why) { return Fail(order_, why, err_); }
  ExitStatus Stopped() {
    out_ << "stopped\n";
    return ExitStatus::kOk;
  }

  const DrainOrder& order_;
  const std::string& token_;
  std::ostream& out_;
  std::ostream& err_;
  State state_;
  TimePoint heard_ = steady_clock::now();
};

}  // namespace

ExitStatus RunDrain(const DrainOrder& order, std::ostream& out, std::ostream& err) {
  std::string token;
  if (!order.token_file.empty() && !ReadToken(order.token_file, token)) {
    err << "cannot drain: there is no token in " << order.token_file << '\n';
    return ExitStatus::kRuntime;
  }
  const AdminReply reply = AskAdmin(order.admin, {.method = "POST", .path = kPath, .token = token},
                                    steady_clock::now() + order.patience);
  std::optional<State> state = StateOf(reply.body);
  if (reply.sent && reply.error == ETIMEDOUT) {
    err << "no answer yet; watching what becomes of it\n";
    state = State{.word = std::string(kOff), .deadline = {}, .left = 0};
  } else if (reply.status() != 202 || !state) {
    return Fail(order, WhyNot(reply), err);
  }
  Watch watch(order, token, out, err);
  if (const auto end = watch.Begin(*std::move(state))) return *end;
  return order.wait ? watch.ToTheEnd() : ExitStatus::kOk;
}

}  // namespace connguard
