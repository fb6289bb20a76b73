// What each admin endpoint answers. Pure but for what the sources do.
#pragma once

#include <string>
#include <string_view>

#include "admin/admin_server.h"

namespace connguard {

struct AdminAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// `path` without query. GET and HEAD are answered alike, a 405 says so (the caller adds Allow). A
// source that throws gives 500.
AdminAnswer AnswerFor(std::string_view method, std::string_view path,
                      const AdminServer::Sources& sources);

// application/problem+json (RFC 9457).
AdminAnswer Problem(int status, std::string_view title, std::string_view detail);

}  // namespace connguard
