// What the admin endpoints answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/json.h"

namespace connguard {

// An answer that goes on: events, as they come.
struct EventsWanted {
  std::string session;  // only of this one; empty: all
};

struct AdminAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> fields{};  // names in lower case
  std::optional<EventsWanted> events{};                       // then `body` is how they begin
  bool until_drained = false;  // told only when the guard has drained; then the last one
};

AdminAnswer JsonAnswer(const Json& json, int status = 200);

// application/problem+json (RFC 9457); `more` is added to it.
AdminAnswer Problem(int status, std::string_view title, std::string_view detail,
                    const Json& more = Json::object());

}  // namespace connguard
