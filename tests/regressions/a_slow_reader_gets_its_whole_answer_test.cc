// A client that was to be closed after its answer was reset five seconds later, however much of the
// answer was still on its way to it.
#include <poll.h>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using ASlowReader = GuardTest;

TEST_F(ASlowReader, GetsItsWholeAnswer) {
  StartGuard();
  TestClient client = guard().Connect(4096);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  OriginLeg origin = origin_.Accept();
  origin.ReadThrough("\r\n\r\n");
  const std::string body(3 << 20, 'x');  // more than the client's kernel keeps for it
  origin.Send("HTTP/1.1 200 OK\r\n\r\n" + body);
  origin.Close();
  poll(nullptr, 0, 6'000);  // longer than the guard waits for a client that has taken everything
  client.ExpectStatus(200);
  PeerEnd end = PeerEnd::kReset;
  EXPECT_TRUE(client.ReadToEnd(&end) == body);
  EXPECT_EQ(end, PeerEnd::kFin);
}

}  // namespace
}  // namespace connguard::testing
