// A guard that is not there.
#include "canned.h"

#include <algorithm>
#include <stdexcept>

#include "admin/unavailable.h"

namespace connguard {

SessionInfo CannedSession(int n) {
  const std::string number = std::to_string(n);
  const auto count = static_cast<std::uint64_t>(n);
  SessionInfo session;
  session.id = std::to_string(n % 2) + ":" + std::to_string(4294967296 + n);
  session.route = n % 3 == 0 ? "notes" : "chat";
  session.upstream = "agent";
  session.key = "user-" + number;
  session.epoch = count + 1;
  session.address = "192.0.2." + number + ":500" + number;
  session.client = {.state = "open", .rtt = std::chrono::microseconds(1500 - 100 * n)};
  session.upstream_leg = {.state = "open", .rtt = std::nullopt};
  session.state = n == 4 ? "shielded" : "open";
  session.turns_in_flight = n == 4 ? 1 : 0;
  session.age = Millis(1000 * (n + 1));
  session.state_age = Millis(100 * n);
  session.bytes_up = 10 * count;
  session.bytes_down = 1000 - count;
  session.messages_up = count;
  session.buffered = 7 * count;
  if (n == 4) session.cause = "client_lost";
  return session;
}

CannedGuard::CannedGuard() {
  for (int n = 0; n < 6; ++n) sessions.push_back(CannedSession(n));
  sessions[5].key.clear();
  sessions[5].client.rtt.reset();
  sessions[5].trace_id = "0af7651916cd43dd8448eb211c80319c";
  keys.push_back({.key = "user-0",
                  .upstream = "agent",
                  .state = "contended",
                  .holders = {{.session = sessions[0].id, .epoch = 1, .alive = false}},
                  .waiter = sessions[1].id});
  keys.push_back({.key = "user-2",
                  .upstream = "agent",
                  .state = "held",
                  .holders = {{.session = sessions[2].id, .epoch = 3, .alive = true}},
                  .waiter = std::nullopt});
  state.loaded_at = std::chrono::system_clock::now();
  outcome = {.kind = ReloadOutcome::Kind::kApplied,
             .generation = 2,
             .live = {"routes.chat: session.settle: 100ms -> 50ms"},
             .restart = {"workers: 2 -> 4"},
             .errors = {}};
}

AdminServer::Sources CannedGuard::Sources() {
  const auto find = [this](std::string_view id) {
    if (silent) throw Unavailable("Worker 1 does not answer.");
    return std::ranges::find(sessions, id, &SessionInfo::id);
  };
  AdminServer::Sources sources;
  sources.metrics = [this] { return page; };
  sources.not_ready_reason = [this] { return reason; };
  sources.sessions = [this] {
    if (silent) throw Unavailable("Worker 1 does not answer.");
    return sessions;
  };
  sources.session = [this, find](std::string_view id) -> std::optional<SessionInfo> {
    const auto found = find(id);
    if (found == sessions.end()) return std::nullopt;
    SessionInfo session = *found;
    session.recorder = {{.ago = Millis(900), .what = "state open"},
                        {.ago = Millis(20), .what = "client text 17 fin"}};
    return session;
  };
  sources.close_session = [this, find](std::string_view id,
                                       OnShield shield) -> std::optional<std::string_view> {
    const auto found = find(id);
    if (found == sessions.end()) return std::nullopt;
    closed.emplace_back(id);
    return shield == OnShield::kEnd ? "closing" : found->state;
  };
  sources.keys = [this] {
    if (silent) throw Unavailable("Worker 1 does not answer.");
    return keys;
  };
  sources.drain = [this] { ++drains; };
  sources.reload = [this] {
    if (silent) throw std::runtime_error("no outcome");
    return outcome;
  };
  sources.config = [] { return std::string("version: 1\n"); };
  sources.route_names = [] { return std::vector<std::string>{"chat", "notes"}; };
  sources.workers = {&one, &other};
  sources.state = &state;
  sources.events = &feed;
  return sources;
}

AdminRequest RequestFor(std::string_view method, std::string_view target) {
  const std::size_t mark = target.find('?');
  AdminRequest request{.method = method, .path = std::string(target.substr(0, mark))};
  if (mark == std::string_view::npos) return request;
  std::string_view rest = target.substr(mark + 1);
  for (std::size_t end = 0; end != std::string_view::npos; rest.remove_prefix(end + 1)) {
    end = rest.find('&');
    request.query.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return request;
}

nlohmann::ordered_json Parse(const std::string& body) {
  return nlohmann::ordered_json::parse(body);
}

}  // namespace connguard
