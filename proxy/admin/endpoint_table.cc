// The endpoints' table, and what each does.
#include "admin/endpoint_table.h"

#include <algorithm>
#include <array>

#include "admin/assets.h"
#include "admin/event_text.h"
#include "admin/overview.h"
#include "admin/process_figures.h"
#include "admin/session_json.h"
#include "admin/session_list.h"

namespace connguard {
namespace {

using Sources = AdminServer::Sources;

constexpr std::string_view kUntold = "The last reload was refused; why is told with the token.";

AdminAnswer Gone(const AdminCall& call) {
  return Problem(404, "Not Found", "There is no session '" + call.id + "' (any more).");
}

AdminAnswer Live(AdminCall&) { return JsonAnswer({{"status", "live"}}); }

AdminAnswer Ready(AdminCall& call) {
  const std::optional<std::string> reason = call.sources.not_ready_reason();
  Json json{{"status", reason ? "not_ready" : "ready"}};
  if (reason) json["reason"] = *reason;
  // A refused reload is told, but does not make the guard unready: it serves as before.
  // Why is for those who may read the configuration: diagnostics quote it.
  if (call.sources.state != nullptr) {
    Json config = ConfigStateJson(*call.sources.state);
    if (!call.trusted && !config["last_error"].is_null()) config["last_error"] = kUntold;
    json["config"] = std::move(config);
  }
  return JsonAnswer(json, reason ? 503 : 200);
}

AdminAnswer Metrics(AdminCall& call) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = call.sources.metrics()};
}

AdminAnswer Overview(AdminCall& call) {
  call.history.Sample(call.now, CloseTotals(call.sources));
  return JsonAnswer(OverviewJson(call.sources, call.history, call.now));
}

AdminAnswer Sessions(AdminCall& call) {
  const SessionSelection selection(call.query);
  return JsonAnswer(SessionListJson(call.sources.sessions(), selection, call.show_keys, call.now));
}

AdminAnswer Session(AdminCall& call) {
  const std::optional<SessionInfo> session = call.sources.session(call.id);
  if (!session) return Gone(call);
  Json json = SessionJson(*session, call.show_keys, call.now);
  json["recorder"] = RecorderJson(*session, call.now);
  return JsonAnswer(json);
}

AdminAnswer CloseSession(AdminCall& call) {
  constexpr auto kShields = std::to_array<std::string_view>({"end"});
  const bool end = call.query.Word("shield", kShields).has_value();
  call.query.Finish();
  const std::optional<std::string_view> state =
      call.sources.close_session(call.id, end ? OnShield::kEnd : OnShield::kKeep);
  if (!state) return Gone(call);
  return JsonAnswer({{"id", call.id}, {"state", *state}}, 202);
}

AdminAnswer Keys(AdminCall& call) {
  const KeySelection selection(call.query);
  return JsonAnswer(KeyListJson(call.sources.keys(), selection, call.show_keys));
}

AdminAnswer Drained(AdminCall&) { return DrainedAnswer(true); }

AdminAnswer DrainState(AdminCall& call) { return JsonAnswer(DrainJson(call.sources)); }

AdminAnswer Drain(AdminCall& call) {
  call.sources.drain();
  return JsonAnswer(DrainJson(call.sources), 202);
}

AdminAnswer Reload(AdminCall& call) {
  const ReloadOutcome outcome = call.sources.reload();
  switch (outcome.kind) {
    case ReloadOutcome::Kind::kNoFile:
      return Problem(409, "Conflict", "The guard runs without a configuration file.");
    case ReloadOutcome::Kind::kRejected:
      return Problem(422, "Unprocessable Content",
                     "The configuration was refused; what was in force still is.",
                     {{"errors", outcome.errors}});
    case ReloadOutcome::Kind::kApplied:
    case ReloadOutcome::Kind::kUnchanged:
      break;
  }
  const bool applied = outcome.kind == ReloadOutcome::Kind::kApplied;
  return JsonAnswer({{"result", applied ? "applied" : "unchanged"},
                     {"generation", outcome.generation},
                     {"plan", {{"live", outcome.live}, {"restart", outcome.restart}}}});
}

AdminAnswer EffectiveConfig(AdminCall& call) {
  return {.content_type = "text/yaml; charset=utf-8", .body = call.sources.config()};
}

AdminAnswer Events(AdminCall& call) {
  EventsWanted wanted{call.query.Text("session").value_or("")};
  call.query.Finish();
  Json hello{{"version", CONNGUARD_VERSION},
             {"started_at", Rfc3339(ProcessStart())},
             {"at", Rfc3339(call.now)}};
  if (call.sources.state != nullptr) hello["config"] = ConfigStateJson(*call.sources.state);
  return {.content_type = "text/event-stream",
          .body = StreamText("hello", hello),
          .events = std::move(wanted)};
}

template <const auto& kName, const auto& kType>
AdminAnswer File(AdminCall&) {
  return {.content_type = kType, .body = std::string(FindAdminAsset(kName).value())};
}

constexpr char kOpenApi[] = "openapi.json", kIndex[] = "index.html", kIcon[] = "icon.svg";
constexpr char kActivityJs[] = "activity.js", kApiJs[] = "api.js", kAppJs[] = "app.js",
               kChartsJs[] = "charts.js", kDialogsJs[] = "dialogs.js",
               kOverviewJs[] = "overview.js", kPanelJs[] = "panel.js", kStoreJs[] = "store.js",
               kTableJs[] = "table.js", kThemeJs[] = "theme.js", kWordsJs[] = "words.js",
               kSessionsCss[] = "sessions.css", kStyleCss[] = "style.css";
constexpr char kJson[] = "application/json", kHtml[] = "text/html; charset=utf-8",
               kJavaScript[] = "text/javascript; charset=utf-8", kCss[] = "text/css; charset=utf-8",
               kSvg[] = "image/svg+xml";

bool Always(const Sources&) { return true; }
template <auto kMember>
bool Has(const Sources& sources) {
  return static_cast<bool>(sources.*kMember);
}
bool HasFigures(const Sources& sources) {
  return sources.state != nullptr && !sources.workers.empty();
}
bool HasState(const Sources& sources) { return sources.state != nullptr; }
bool CanDrain(const Sources& sources) { return HasFigures(sources) && sources.drain; }

constexpr auto kTable = std::to_array<EndpointRow>({
    {"GET", "/livez", Always, Live},
    {"GET", "/healthz", Always, Live},
    {"GET", "/readyz", Has<&Sources::not_ready_reason>, Ready},
    {"GET", "/drainz", HasState, Drained},
    {"GET", "/metrics", Has<&Sources::metrics>, Metrics},
    {"GET", "/v1/overview", HasFigures, Overview},
    {"GET", "/v1/sessions", Has<&Sources::sessions>, Sessions, true},
    {"GET", "/v1/sessions/{id}", Has<&Sources::session>, Session},
    {"DELETE", "/v1/sessions/{id}", Has<&Sources::close_session>, CloseSession, true},
    {"GET", "/v1/keys", Has<&Sources::keys>, Keys, true},
    {"GET", "/v1/drain", HasFigures, DrainState},
    {"POST", "/v1/drain", CanDrain, Drain},
    {"POST", "/v1/reload", Has<&Sources::reload>, Reload, false,
     "The reload has not ended in time; the log will say what came of it."},
    {"GET", "/v1/config", Has<&Sources::config>, EffectiveConfig},
    {"GET", "/v1/events", Has<&Sources::events>, Events, true},
    {"GET", "/v1/openapi.json", Always, File<kOpenApi, kJson>},
    {"GET", "/", Always, File<kIndex, kHtml>},
    {"GET", "/index.html", Always, File<kIndex, kHtml>},
    {"GET", "/activity.js", Always, File<kActivityJs, kJavaScript>},
    {"GET", "/api.js", Always, File<kApiJs, kJavaScript>},
    {"GET", "/app.js", Always, File<kAppJs, kJavaScript>},
    {"GET", "/charts.js", Always, File<kChartsJs, kJavaScript>},
    {"GET", "/dialogs.js", Always, File<kDialogsJs, kJavaScript>},
    {"GET", "/overview.js", Always, File<kOverviewJs, kJavaScript>},
    {"GET", "/panel.js", Always, File<kPanelJs, kJavaScript>},
    {"GET", "/store.js", Always, File<kStoreJs, kJavaScript>},
    {"GET", "/table.js", Always, File<kTableJs, kJavaScript>},
    {"GET", "/theme.js", Always, File<kThemeJs, kJavaScript>},
    {"GET", "/words.js", Always, File<kWordsJs, kJavaScript>},
    {"GET", "/sessions.css", Always, File<kSessionsCss, kCss>},
    {"GET", "/style.css", Always, File<kStyleCss, kCss>},
    {"GET", "/icon.svg", Always, File<kIcon, kSvg>},
});

}  // namespace

std::span<const EndpointRow> EndpointsTable() { return kTable; }

AdminAnswer DrainedAnswer(bool drained) {
  AdminAnswer answer =
      JsonAnswer({{"status", drained ? "drained" : "serving"}}, drained ? 200 : 503);
  answer.until_drained = true;
  return answer;
}

}  // namespace connguard
