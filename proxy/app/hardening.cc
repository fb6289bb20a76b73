// prctl, setrlimit, libcap.
#include "app/hardening.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>

namespace connguard {

namespace {

// Unix sockets and certificates of other users, also when they are renewed; ports.
constexpr auto kKept =
    std::to_array<cap_value_t>({CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE});

void DropCapabilities() {
  cap_t current = cap_get_proc();
  cap_t next = cap_init();
  if (current != nullptr && next != nullptr) {
    for (const cap_value_t& kept : kKept) {
      cap_flag_value_t has = CAP_CLEAR;
      if (cap_get_flag(current, kept, CAP_PERMITTED, &has) != 0 || has == CAP_CLEAR) continue;
      cap_set_flag(next, CAP_PERMITTED, 1, &kept, CAP_SET);
      cap_set_flag(next, CAP_EFFECTIVE, 1, &kept, CAP_SET);
    }
    cap_set_proc(next);
  }
  cap_free(current);
  cap_free(next);
}

}  // namespace

void HardenProcess() {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__  // LeakSanitizer reads the memory of its own process
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
  DropCapabilities();
}

}  // namespace connguard
