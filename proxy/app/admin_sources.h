// AdminSources: where the admin endpoints get from what they show, and whom they tell what is
// wanted.
#pragma once

#include <memory>
#include <vector>

#include "admin/admin_server.h"
#include "app/control.h"
#include "app/worker.h"

namespace connguard {

// What the admin server's thread may call. Workers are asked by WorkerQuestions and answer within a
// turn of their loops; when one does not, Unavailable is thrown, after a second or at once.
// `control`, `state`, `routes` and what `shared` names outlive the server.
AdminServer::Sources MakeAdminSources(Control& control, const ProcessState& state,
                                      const RouteNumbers& routes, const Shared& shared);

}  // namespace connguard
