// Keeps signals away from a thread that is about to be made.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace connguard {

// While it lives, no signal reaches this thread, nor ever one that it starts meanwhile: signals are
// for the control thread, and a write to a pipe without reader must not kill the process.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace connguard
