// What a slow client had not taken yet of a whole answer was thrown away when a drain began; and
// when it was cut, it ended by FIN, as if it had been all.
#include <signal.h>

#include <string>
#include <utility>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

// More than the kernels keep for both ends, less than the guard may hold.
constexpr std::size_t kSize = 12 << 20;
constexpr int kReceiveBuffer = 4096;

class TheRestOfAnAnswer : public GuardTest {
 protected:
  TheRestOfAnAnswer() : body_(kSize, 'x') {}

  void SetUp() override {
    StartGuard({.session = "key: \"{path.user}\", settle: 0, close_timeout: 20s",
                .limits = "{buffer: 16MiB}",
                .shutdown = "{drain: 60s}"});
  }

  // A client that has taken next to nothing of its answer, which the origin has sent whole; and
  // the guard drains.
  TestClient AskAndDrain() {
    TestClient client = guard().Connect(kReceiveBuffer);
    client.Send("GET / HTTP/1.1\r\nHost: guard\r\n\r\n");
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n" + body_);
    guard().AwaitMetric("connguard_upstream_idle_connections", "", 1);
    EXPECT_GT(guard().Metric("connguard_buffered_bytes"), 0);
    guard().Signal(SIGTERM);
    ExpectFin(origin);  // an idle connection to it is not kept by a guard that drains
    return client;
  }

  const std::string body_;
};

TEST_F(TheRestOfAnAnswer, IsDeliveredByADrain) {
  TestClient client = AskAndDrain();
  client.ExpectStatus(200);
  PeerEnd end = PeerEnd::kReset;
  EXPECT_TRUE(client.ReadToEnd(&end) == body_);
  EXPECT_EQ(end, PeerEnd::kFin);
  client.Close();
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(TheRestOfAnAnswer, IsResetWhenItIsCut) {
  TestClient client = AskAndDrain();
  guard().Signal(SIGTERM);
  EXPECT_EQ(guard().AwaitExit(), 0);
  PeerEnd end = PeerEnd::kFin;
  EXPECT_LT(client.ReadToEnd(&end).size(), kSize);
  EXPECT_EQ(end, PeerEnd::kReset);
}

TEST_F(TheRestOfAnAnswer, IsDeliveredBeforeTheCloseOfAWebSocket) {
  TestClient client = guard().Connect(kReceiveBuffer);
  client.SendHandshake("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.Upgrade();
  client.ExpectStatus(101);
  client.SendText("ask");
  EXPECT_EQ(origin.ReadText(), "ask");
  origin.SendText(body_);
  guard().Signal(SIGTERM);
  ExpectClosedWith(origin, 1001);
  EXPECT_TRUE(client.ReadText() == body_);
  EXPECT_EQ(client.ReadClose(), 1012);
  client.Close();
  EXPECT_EQ(guard().AwaitExit(), 0);
}

}  // namespace
}  // namespace connguard::testing
