// JSON as the admin endpoints write it.
#include "admin/json.h"

#include "admin/admin_answer.h"
#include "log/line.h"

namespace connguard {

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Rfc3339(std::chrono::system_clock::time_point time) {
  std::string text;
  AppendTime(time, text);
  return text;
}

Json TimeOrNull(std::chrono::system_clock::time_point time) {
  return time == std::chrono::system_clock::time_point{} ? Json() : Json(Rfc3339(time));
}

AdminAnswer JsonAnswer(const Json& json, int status) {
  return {.status = status, .body = Dump(json) + "\n"};
}

AdminAnswer Problem(int status, std::string_view title, std::string_view detail, const Json& more) {
  Json json{{"title", title}, {"status", status}, {"detail", detail}};
  json.update(more);
  return {.status = status, .content_type = "application/problem+json", .body = Dump(json) + "\n"};
}

}  // namespace connguard
