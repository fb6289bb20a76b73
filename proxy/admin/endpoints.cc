// What each admin endpoint answers.
#include "admin/endpoints.h"

#include <array>
#include <exception>
#include <optional>

#include "log/line.h"
#include "log/log.h"

namespace connguard {
namespace {

using Endpoint = AdminAnswer (*)(const AdminServer::Sources&);

AdminAnswer Live(const AdminServer::Sources&) { return {.body = "{\"status\":\"live\"}\n"}; }

AdminAnswer Ready(const AdminServer::Sources& sources) {
  const std::optional<std::string> reason = sources.not_ready_reason();
  if (!reason) return {.body = "{\"status\":\"ready\"}\n"};
  std::string body = "{\"status\":\"not_ready\",\"reason\":";
  AppendJsonString(*reason, body);
  body += "}\n";
  return {.status = 503, .body = std::move(body)};
}

AdminAnswer Metrics(const AdminServer::Sources& sources) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = sources.metrics()};
}

struct Row {
  std::string_view path;
  Endpoint endpoint;
};
constexpr auto kEndpoints = std::to_array<Row>(
    {{"/livez", Live}, {"/healthz", Live}, {"/readyz", Ready}, {"/metrics", Metrics}});

}  // namespace

AdminAnswer Problem(int status, std::string_view title, std::string_view detail) {
  std::string body = "{\"title\":";
  AppendJsonString(title, body);
  body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  AppendJsonString(detail, body);
  body += "}\n";
  return {.status = status, .content_type = "application/problem+json", .body = std::move(body)};
}

AdminAnswer AnswerFor(std::string_view method, std::string_view path,
                      const AdminServer::Sources& sources) {
  for (const Row& row : kEndpoints) {
    if (row.path != path) continue;
    if (method != "GET" && method != "HEAD") {
      return Problem(405, "Method Not Allowed", "The endpoints are for GET and HEAD.");
    }
    try {
      return row.endpoint(sources);
    } catch (const std::exception& error) {
      Log(LogLevel::kError, "admin_endpoint_failed", {{"path", path}, {"error", error.what()}});
      return Problem(500, "Internal Server Error", "The endpoint failed; see the log.");
    }
  }
  return Problem(404, "Not Found", "There are /livez, /healthz, /readyz and /metrics.");
}

}  // namespace connguard
