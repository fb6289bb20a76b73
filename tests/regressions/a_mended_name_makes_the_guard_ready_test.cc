// A guard whose upstream's name could not be resolved was not ready, and stayed so after a reload
// to an address that needs no resolving.
#include <signal.h>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using AMendedName = GuardTest;

TEST_F(AMendedName, MakesTheGuardReady) {
  StartGuard({.upstream = "http://nowhere.invalid:1"});
  guard().AwaitLog("resolve_failed");
  EXPECT_FALSE(guard().Ready());
  guard().Rewrite({.upstream = origin_.url()});
  guard().Signal(SIGHUP);
  guard().AwaitLog("reloaded");
  EXPECT_TRUE(guard().Ready());
}

}  // namespace
}  // namespace connguard::testing
