// From a request to the row of the table that answers it, or to what is wrong with it.
#include "admin/endpoints.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>
#include <vector>

#include "admin/access.h"
#include "admin/endpoint_table.h"
#include "admin/http_exchange.h"
#include "admin/overview.h"
#include "admin/unavailable.h"
#include "log/log.h"

namespace connguard {
namespace {

constexpr std::string_view kVersioned = "/v1/";
constexpr std::string_view kId = "{id}";

// The page's files: what a browser loads before it can ask for the token.
bool IsOpen(std::string_view path) {
  return path == "/" || (path.rfind('/') == 0 && path.find('.') != std::string_view::npos);
}

// What stands for {id}; nullopt: another path.
std::optional<std::string> Match(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with(kId)) return pattern == path ? std::optional("") : std::nullopt;
  pattern.remove_suffix(kId.size());
  if (!path.starts_with(pattern)) return std::nullopt;
  path.remove_prefix(pattern.size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(path);
}

AdminAnswer NotAllowed(const std::string& allow) {
  AdminAnswer answer = Problem(405, "Method Not Allowed", "This endpoint is for " + allow + ".");
  answer.fields.emplace_back("allow", allow);
  return answer;
}

std::optional<AdminAnswer> BodyRefusal(const AdminRequest& request) {
  if (request.safe()) return std::nullopt;
  if (!request.body) return Problem(411, "Length Required", "Bodies need a Content-Length.");
  if (*request.body <= kLargestAdminBody) return std::nullopt;
  return Problem(413, "Content Too Large", "Nothing here needs a body.");
}

AdminAnswer Failed(const EndpointRow& row, const std::exception& error) {
  Log(LogLevel::kError, "admin_endpoint_failed",
      {{"method", row.method}, {"path", row.path}, {"error", error.what()}});
  if (dynamic_cast<const Unavailable*>(&error) != nullptr) {
    return Problem(503, "Service Unavailable", error.what());
  }
  if (!row.silent.empty()) return Problem(503, "Service Unavailable", row.silent);
  return Problem(500, "Internal Server Error", "The endpoint failed; see the log.");
}

AdminAnswer Ask(const EndpointRow& row, AdminCall& call) {
  try {
    if (!row.parameters && row.path.starts_with(kVersioned)) call.query.Finish();
    return row.answer(call);
  } catch (const BadParameter&) {
    throw;
  } catch (const std::exception& error) {
    return Failed(row, error);
  }
}

}  // namespace

Endpoints::Endpoints(AdminConfig config, AdminServer::Sources sources)
    : config_(std::move(config)),
      sources_(std::move(sources)),
      history_(std::chrono::system_clock::now()) {}

AdminAnswer Endpoints::Answer(const AdminRequest& request) {
  if (auto refusal = RefusalOf(request, config_, IsOpen(request.path))) return *std::move(refusal);
  std::string allow;
  for (const EndpointRow& row : EndpointsTable()) {
    const std::optional<std::string> id = Match(row.path, request.path);
    if (!id || !row.present(sources_)) continue;
    if (row.method != (request.method == "HEAD" ? "GET" : request.method)) {
      allow.append(allow.empty() ? "" : ", ").append(row.method);
      if (row.method == "GET") allow += ", HEAD";
      continue;
    }
    if (auto refusal = BodyRefusal(request)) return *std::move(refusal);
    const auto now = std::chrono::system_clock::now();
    try {
      const bool versioned = row.path.starts_with(kVersioned);
      Query query(versioned ? request.query : std::vector<std::string>());
      AdminCall call{sources_, history_, config_.show_keys,          now,
                     *id,      query,    IsTrusted(request, config_)};
      return Ask(row, call);
    } catch (const BadParameter& error) {
      return Problem(400, "Bad Request", error.what());
    }
  }
  if (!allow.empty()) return NotAllowed(allow);
  return Problem(404, "Not Found", "There is no such endpoint; /v1/openapi.json says which are.");
}

void Endpoints::SampleCloses(std::chrono::system_clock::time_point now) {
  history_.Sample(now, CloseTotals(sources_));
}

}  // namespace connguard
