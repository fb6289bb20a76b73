// The endpoints' table.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "admin/admin_answer.h"
#include "admin/admin_server.h"
#include "admin/close_history.h"
#include "admin/query.h"

namespace connguard {

// What an endpoint is asked.
struct AdminCall {
  const AdminServer::Sources& sources;
  CloseHistory& history;
  bool show_keys;
  std::chrono::system_clock::time_point now;
  std::string id;  // what stands for {id} in its path
  Query& query;
  bool trusted;  // by somebody who may read what is not for everybody
};

struct EndpointRow {
  std::string_view method;  // GET stands for HEAD as well
  std::string_view path;    // `{id}` may be its last segment
  bool (*present)(const AdminServer::Sources& sources);
  AdminAnswer (*answer)(AdminCall& call);
  bool parameters = false;       // it reads the query; else there must be none below /v1
  std::string_view silent = {};  // what it says, with 503, when a source throws
};

std::span<const EndpointRow> EndpointsTable();

// Of /drainz, when all is over: whether the guard has drained, or has not even begun to.
AdminAnswer DrainedAnswer(bool drained);

}  // namespace connguard
