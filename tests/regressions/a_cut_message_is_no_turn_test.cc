// A client that dropped in the middle of a message counted as a turn in flight: the backend could
// never answer it, and the user's next connect was held until `session.wait` was over.
#include <gtest/gtest.h>

#include <string>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

class ACutMessage : public GuardTest {
 protected:
  // Half of `frame` goes through, the client is gone, and comes back.
  void CutAndReconnect(TestClient& client, OriginLeg& origin, const std::string& frame) {
    const std::string half = frame.substr(0, frame.size() / 2);
    client.Send(half);
    EXPECT_EQ(origin.Read(half.size()), half);
    client.Reset();
    TestClient again = Connect("/ws/ann");
    EXPECT_EQ(origin.ReadToEnd(), "");
    origin.Close();
    OriginLeg fresh = origin_.Accept();
    fresh.Upgrade();
    again.ExpectStatus(101);
  }
};

TEST_F(ACutMessage, IsNoTurn) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: each-answer, max: 1h, linger: 0}"});
  Ends ends = Open();
  CutAndReconnect(ends.client, ends.origin, ends.client.MakeFrame({.opcode = 1}, "half of this"));
}

TEST_F(ACutMessage, DoesNotHideTheTurnBeforeIt) {
  StartGuard({.upstream = origin_.url(), .turn = "{end: each-answer, max: 1h, linger: 0}"});
  Ends ends = OpenInTurn();
  const std::string frame = ends.client.MakeFrame({.opcode = 1}, "half of this");
  ends.client.Send(frame.substr(0, 8));
  EXPECT_EQ(ends.origin.Read(8), frame.substr(0, 8));
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.origin.ReadToEnd(), "");
}

}  // namespace
}  // namespace connguard::testing
