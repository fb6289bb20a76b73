// A guard that is not there: what its workers would tell the admin endpoints.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "admin/admin_request.h"
#include "admin/admin_server.h"

namespace connguard {

struct CannedGuard {
  CannedGuard();

  // They refer to this object.
  AdminServer::Sources Sources();

  std::optional<std::string> reason;
  std::string page = "metrics 1\n";
  std::vector<SessionInfo> sessions;
  std::vector<KeyInfo> keys;
  std::vector<std::string> closed;  // by DELETE
  int drains = 0;
  bool silent = false;  // a worker
  ReloadOutcome outcome;
  WorkerMetrics one{2};
  WorkerMetrics other{2};
  ProcessState state;
  EventFeed feed;
};

// Session number `n`: worker n % 2, route `chat` or `notes`, keys user-0, user-1, …
SessionInfo CannedSession(int n);

AdminRequest RequestFor(std::string_view method, std::string_view target);

// A JSON body, parsed; its pairs in the order they came.
nlohmann::ordered_json Parse(const std::string& body);

}  // namespace connguard
