// Events as text/event-stream writes them.
#include "admin/event_text.h"

#include "admin/session_json.h"

namespace connguard {
namespace {

std::string_view WordOf(AdminEvent::Kind kind) {
  using Kind = AdminEvent::Kind;
  switch (kind) {
    case Kind::kOpened:
      return "opened";
    case Kind::kState:
      return "state";
    case Kind::kDropped:
      return "dropped";
    case Kind::kShielded:
      return "shielded";
    case Kind::kClosed:
      return "closed";
    case Kind::kRefused:
      return "refused";
    case Kind::kReload:
      return "reload";
    case Kind::kDrain:
      return "drain";
  }
  return {};
}

Json RefusalJson(const AdminEvent& event, bool show_keys) {
  const std::string key = ShownKey(event.session.key, show_keys);
  return {{"route", event.session.route.empty() ? Json() : Json(event.session.route)},
          {"client", event.session.address},
          {"key", key.empty() ? Json() : Json(key)},
          {"status", event.status},
          {"why", event.why}};
}

Json DataOf(const AdminEvent& event, bool show_keys) {
  switch (event.kind) {
    case AdminEvent::Kind::kRefused:
      return RefusalJson(event, show_keys);
    case AdminEvent::Kind::kReload:
    case AdminEvent::Kind::kDrain:
      return {{"why", event.why}};
    default:
      return SessionJson(event.session, show_keys, event.at);
  }
}

}  // namespace

std::string StreamText(std::string_view event, const Json& data, std::optional<std::uint64_t> id) {
  std::string text;
  if (id) text = "id: " + std::to_string(*id) + "\n";
  text.append("event: ").append(event).append("\ndata: ").append(Dump(data)).append("\n\n");
  return text;
}

std::string EventText(const AdminEvent& event, std::uint64_t id, bool show_keys) {
  Json data{{"event", WordOf(event.kind)}, {"at", Rfc3339(event.at)}};
  data.update(DataOf(event, show_keys));
  return StreamText(WordOf(event.kind), data, id);
}

}  // namespace connguard
