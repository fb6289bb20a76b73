// Answers of our own: problem details (RFC 9457).
#include <nlohmann/json.hpp>

#include "http/message.h"

namespace connguard {
namespace {

// Reason phrases of the statuses that the guard answers with (RFC 9110 §15, RFC 6585).
const char* ReasonOf(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Error";
  }
}

}  // namespace

std::string ProblemResponse(int status, std::string_view detail, std::string_view request_id,
                            int retry_after) {
  nlohmann::ordered_json problem;
  problem["type"] = "about:blank";
  problem["title"] = ReasonOf(status);
  problem["status"] = status;
  problem["detail"] = std::string(detail);
  problem["request_id"] = std::string(request_id);
  // `detail` may quote a peer: bytes that are not UTF-8 are replaced, never thrown at.
  const std::string body =
      problem.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";

  const std::string length = std::to_string(body.size());
  const std::string retry = std::to_string(retry_after);
  ResponseHead head;
  head.status = status;
  head.reason = ReasonOf(status);
  head.fields = {{"Content-Type", "application/problem+json"},
                 {"Content-Length", length},
                 {"X-Request-Id", request_id}};
  if (status == 401) head.fields.push_back({"WWW-Authenticate", "Bearer"});  // RFC 6750 §3
  if (retry_after > 0) head.fields.push_back({"Retry-After", retry});
  if (status == 426) {  // RFC 9110 §15.5.22, RFC 6455 §4.4
    head.fields.push_back({"Upgrade", "websocket"});
    head.fields.push_back({"Sec-WebSocket-Version", "13"});
    head.fields.push_back({"Connection", "Upgrade, close"});
  } else {
    head.fields.push_back({"Connection", "close"});
  }
  return Serialize(head) + body;
}

}  // namespace connguard
