// Hardening: what the process gives up, since it will not need it.
#pragma once

namespace connguard {

// No privileges by exec (PR_SET_NO_NEW_PRIVS), no core dumps and no reading of its memory by other
// processes of its user (PR_SET_DUMPABLE): it holds keys and users' messages. Of root's
// capabilities it keeps those by which it opens ports below 1024, sockets and files of others. What
// the system refuses stays as it is: a container may forbid it. Call before there are threads.
void HardenProcess();

}  // namespace connguard
