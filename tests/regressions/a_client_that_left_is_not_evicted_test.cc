// A newer request of a key and the end of the older one's client came in one turn of the loop: the
// fence asked a client to give way that was not there any more, and the guard crashed.
#include <signal.h>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

constexpr std::string_view kPost =
    "POST / HTTP/1.1\r\nHost: a\r\nX-User: ann\r\nContent-Length: 0\r\n\r\n";

using AClientThatLeft = GuardTest;

TEST_F(AClientThatLeft, IsNotEvicted) {
  StartGuard(
      {.upstream = "", .rest_session = "key: \"{header.x-user}\", methods: [POST], settle: 0"});
  TestClient old = guard().Connect();
  TestClient next = guard().Connect();
  guard().AwaitMetric("connguard_connections", "", 2);
  old.Send(kPost);
  OriginLeg origin = origin_.Accept();
  origin.ReadThrough("\r\n\r\n");
  guard().Signal(SIGSTOP);
  next.Send(kPost);
  old.Reset();
  guard().Signal(SIGCONT);
  guard().AwaitTunnels("shielded", 1);
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(origin.ReadToEnd(), "");
  OriginLeg fresh = origin_.Accept();
  fresh.ReadThrough("\r\n\r\n");
  fresh.Send("HTTP/1.1 204 None\r\n\r\n");
  next.ExpectStatus(204);
}

}  // namespace
}  // namespace connguard::testing
