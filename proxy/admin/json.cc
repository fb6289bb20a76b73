// JSON as the admin endpoints write it.
#include "admin/json.h"

#include <time.h>

#include <array>
#include <cstdio>

#include "admin/admin_answer.h"

namespace connguard {

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Rfc3339(std::chrono::system_clock::time_point time) {
  using std::chrono::milliseconds;
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::floor<milliseconds>(time - whole);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(rest.count()));
  return text.data();
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
