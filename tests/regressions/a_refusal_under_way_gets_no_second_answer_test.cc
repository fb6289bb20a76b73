// A client that was being given the upstream's refusal got the guard's own on top of it when its
// session was ended meanwhile: by a newer client, an operator, a stop.
#include <gtest/gtest.h>
#include <signal.h>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

class HalfRefusedTest : public GuardTest {
 protected:
  void SetUp() override { StartGuard(); }

  // A client that has half of a 403, and the upstream that has the rest.
  Ends HalfRefused() {
    TestClient client = Connect("/ws/ann");
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nhalf");
    client.ExpectStatus(403);
    EXPECT_EQ(client.Read(4), "half");
    return {std::move(client), std::move(origin)};
  }
};

TEST_F(HalfRefusedTest, ANewerClientCutsIt) {
  Ends ends = HalfRefused();
  TestClient newer = Connect("/ws/ann");
  PeerEnd end = PeerEnd::kFin;
  EXPECT_EQ(ends.client.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kReset);
}

TEST_F(HalfRefusedTest, AStopLetsItEnd) {
  Ends ends = HalfRefused();
  guard().Signal(SIGTERM);
  EXPECT_TRUE(ends.client.Silent());
  ends.origin.Send("rest");
  EXPECT_EQ(ends.client.ReadToEnd(), "rest");
  ends.client.Close();
  EXPECT_EQ(guard().AwaitExit(), 0);
}

}  // namespace
}  // namespace connguard::testing
