// GET /v1/overview: the figures of all workers, and the state of the process.
#pragma once

#include <chrono>
#include <cstdint>

#include "admin/admin_server.h"
#include "admin/close_history.h"
#include "admin/json.h"

namespace connguard {

// `state` and `workers` of the sources must be there. Asks no worker: it is there when one hangs.
Json OverviewJson(const AdminServer::Sources& sources, const CloseHistory& history,
                  std::chrono::system_clock::time_point now);

Json DrainJson(const AdminServer::Sources& sources);
Json ConfigStateJson(const ProcessState& state);

// All ends of sessions so far, by cause.
CloseHistory::Totals CloseTotals(const AdminServer::Sources& sources);

}  // namespace connguard
