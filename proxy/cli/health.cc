// RunHealth: for containers without curl.
#include <ostream>

#include "cli/admin_client.h"
#include "cli/commands.h"

namespace connguard {

ExitStatus RunHealth(const Address& admin, Millis timeout, std::ostream& out, std::ostream& err) {
  const AdminReply reply = AskAdmin(admin, {.path = "/readyz", .whole = false},
                                    std::chrono::steady_clock::now() + timeout);
  if (reply.status() != 200) {
    err << "not ready: " << admin.ToString() << ": " << (reply ? reply.status_line : reply.why)
        << '\n';
    return ExitStatus::kRuntime;
  }
  out << "ready\n";
  return ExitStatus::kOk;
}

}  // namespace connguard
