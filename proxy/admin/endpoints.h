// What each admin endpoint answers.
#pragma once

#include <chrono>

#include "admin/admin_answer.h"
#include "admin/admin_request.h"
#include "admin/admin_server.h"
#include "admin/close_history.h"
#include "connguard/config.h"

namespace connguard {

// Without a socket. Belongs to one thread, which the sources are called on. Endpoints whose source
// is empty are not there (404); one whose source throws gives 503 where workers were asked, else
// 500.
class Endpoints {
 public:
  Endpoints(AdminConfig config, AdminServer::Sources sources);

  AdminAnswer Answer(const AdminRequest& request);

  // Notes how many sessions have ended by now: to be called some times in a minute.
  void SampleCloses(std::chrono::system_clock::time_point now);

 private:
  const AdminConfig config_;
  const AdminServer::Sources sources_;
  CloseHistory history_;
};

}  // namespace connguard
