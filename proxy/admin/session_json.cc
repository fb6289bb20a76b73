// Sessions and fences as JSON.
#include "admin/session_json.h"

#include "log/log.h"

namespace connguard {
namespace {

Json TextOrNull(std::string_view text) { return text.empty() ? Json() : Json(text); }

Json LegJson(const LegInfo& leg) {
  Json json{{"state", leg.state}, {"rtt_ms", nullptr}};
  if (leg.rtt) json["rtt_ms"] = static_cast<double>(leg.rtt->count()) / 1000;
  return json;
}

}  // namespace

std::string ShownKey(std::string_view key, bool show_keys) {
  return show_keys || key.empty() ? std::string(key) : KeyHash(key);
}

Json SessionJson(const SessionInfo& session, bool show_keys,
                 std::chrono::system_clock::time_point now) {
  Json client{{"address", session.address}};
  client.update(LegJson(session.client));
  return {{"id", session.id},
          {"route", session.route},
          {"upstream", session.upstream},
          {"key", TextOrNull(ShownKey(session.key, show_keys))},
          {"epoch", session.epoch},
          {"client", std::move(client)},
          {"upstream_leg", LegJson(session.upstream_leg)},
          {"state", session.state},
          {"turns_in_flight", session.turns_in_flight},
          {"started_at", Rfc3339(now - session.age)},
          {"age_ms", session.age.count()},
          {"state_ms", session.state_age.count()},
          {"fence_wait_ms", session.fence_wait.count()},
          {"shield_ms", session.shielded.count()},
          {"bytes_up", session.bytes_up},
          {"bytes_down", session.bytes_down},
          {"messages_up", session.messages_up},
          {"messages_down", session.messages_down},
          {"buffered_bytes", session.buffered},
          {"cause", TextOrNull(session.cause)},
          {"trace_id", TextOrNull(session.trace_id)}};
}

Json RecorderJson(const SessionInfo& session, std::chrono::system_clock::time_point now) {
  Json lines = Json::array();
  for (const RecorderEntry& entry : session.recorder) {
    lines.push_back(
        {{"at", Rfc3339(now - entry.ago)}, {"ago_ms", entry.ago.count()}, {"what", entry.what}});
  }
  return lines;
}

Json KeyJson(const KeyInfo& key, bool show_keys) {
  Json holders = Json::array();
  for (const KeyInfo::Holder& holder : key.holders) {
    holders.push_back(
        {{"session", holder.session}, {"epoch", holder.epoch}, {"alive", holder.alive}});
  }
  return {{"key", ShownKey(key.key, show_keys)},
          {"upstream", key.upstream},
          {"state", key.state},
          {"holders", std::move(holders)},
          {"waiter", key.waiter ? Json{{"session", *key.waiter}} : Json()}};
}

}  // namespace connguard
