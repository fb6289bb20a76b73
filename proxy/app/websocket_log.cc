// A client's WebSocket: what the log says of it while it lives, at level debug.
#include <vector>

#include "app/websocket_session.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

void WebSocketSession::LogOpened() const {
  if (!LogEnabled(LogLevel::kDebug)) return;
  const auto between = [](TimePoint begin, TimePoint end) {
    return std::chrono::duration_cast<Millis>(end - begin);
  };
  const std::string conn = name();
  const std::string key = fence_.log_key();
  const std::string trace = trace_.value();
  std::vector<LogField> fields{{"conn", conn},
                               {"client", address_},
                               {"route", route_.name},
                               {"upstream", generation_->UpstreamOf(route_).name},
                               {"key", key},
                               {"epoch", static_cast<std::uint64_t>(epoch_)},
                               {"fence_wait_ms", between(started_, granted_)},
                               {"dial_ms", between(granted_, worker_.now())},
                               {"trace", trace}};
  if (!target_.empty()) fields.push_back({"target", target_});
  Log(LogLevel::kDebug, "tunnel_opened", fields);
}

// A state that is left in the same moment is not seen.
void WebSocketSession::LogState(std::string_view from, std::string_view to) const {
  if (!LogEnabled(LogLevel::kDebug)) return;
  Log(LogLevel::kDebug, "tunnel_state",
      {{"conn", name()},
       {"route", route_.name},
       {"key", fence_.log_key()},
       {"epoch", static_cast<std::uint64_t>(epoch_)},
       {"from", from},
       {"to", to},
       {"trace", trace_.value()}});
}

}  // namespace connguard
