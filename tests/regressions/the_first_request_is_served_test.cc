// The first request right after the start was answered with 502: the worker had not yet been told
// the upstream's address.
#include <gtest/gtest.h>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using TheFirstRequestIsServed = GuardTest;

TEST_F(TheFirstRequestIsServed, OnEveryStart) {
  // It was a race between two threads: once is not enough.
  for (int start = 0; start < 20; ++start) {
    TestGuard fresh({.upstream = origin_.url(), .workers = 2});
    TestClient client = fresh.Connect();
    client.SendHandshake("/ws/ann");
    OriginLeg origin = origin_.Accept();
    origin.Upgrade();
    client.ExpectStatus(101);
  }
}

}  // namespace
}  // namespace connguard::testing
