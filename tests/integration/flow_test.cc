// Peers that do not read, and peers that say nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// More than the kernel keeps for the sockets on the way.
constexpr std::size_t kFlood = 700;
// Of a frame of Stream().
constexpr std::size_t kFrame = 30'000;
constexpr long kMemory = 24 * 1024;  // kilobytes

class FlowTest : public GuardTest {
 protected:
  void StartWith(const std::string& slow_client_timeout, const std::string& heartbeat = "{}") {
    StartGuard({.upstream = origin_.url(),
                .heartbeat = heartbeat,
                .limits = "{buffer: 64KiB, slow_client_timeout: " + slow_client_timeout + "}"});
  }

  // As Open(), with a client whose kernel keeps little for it.
  Ends OpenNarrow() {
    TestClient client = guard().Connect(4096);
    client.SendHandshake("/ws/ann");
    OriginLeg origin = origin_.Accept();
    origin.Upgrade();
    client.ExpectStatus(101);
    return {std::move(client), std::move(origin)};
  }

  // `count` texts; neighbours differ.
  static std::string Stream(const Peer& sender, std::size_t count) {
    std::vector<std::string> frames;
    for (int i = 0; i < 37; ++i) {
      frames.push_back(
          sender.MakeFrame({.opcode = 1}, std::to_string(i) + std::string(kFrame, 'x')));
    }
    std::string stream;
    for (std::size_t i = 0; i < count; ++i) stream += frames[i % frames.size()];
    return stream;
  }
};

TEST_F(FlowTest, AClientThatDoesNotReadIsDroppedAndItsUpstreamReadOn) {
  StartWith("1s");
  Ends ends = OpenNarrow();
  // One turn more than the flood has answers.
  std::string asks;
  for (std::size_t i = 0; i <= kFlood; ++i) asks += ends.client.MakeFrame({.opcode = 1}, "ask");
  ends.client.Send(asks);
  EXPECT_TRUE(ends.origin.Read(asks.size()) == asks);
  const long memory = guard().ResidentMemory();
  const std::string flood = Stream(ends.origin, kFlood);
  const Stopwatch since;
  const std::size_t sent = ends.origin.SendUntilStuck(flood);
  EXPECT_LT(sent, flood.size());
  EXPECT_LT(guard().ResidentMemory() - memory, kMemory);
  guard().AwaitTunnels("shielded", 1);
  EXPECT_GE(since.elapsed(), 999ms);
  ends.origin.Send(std::string_view(flood).substr(sent));
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("the last answer");
  ExpectClosedWith(ends.origin, 1001);
  PeerEnd end = PeerEnd::kFin;
  ends.client.ReadToEnd(&end);
  EXPECT_EQ(end, PeerEnd::kReset);
  guard().AwaitMetric("connguard_closes_total", "client_slow", 1);
}

TEST_F(FlowTest, ASlowClientThatReadsGetsEveryByteInOrder) {
  StartWith("5s");
  Ends ends = OpenNarrow();
  const std::string stream = Stream(ends.origin, 150);
  auto sending = std::async(std::launch::async, [&] { ends.origin.Send(stream); });
  std::string got;
  while (got.size() < stream.size()) {
    got += ends.client.Read(std::min<std::size_t>(5'000, stream.size() - got.size()));
  }
  EXPECT_TRUE(got == stream);
  sending.get();
}

TEST_F(FlowTest, AnUpstreamThatWritesWithoutReadingBlocksNobodyElse) {
  StartWith("60s");
  Ends ends = Open();
  const std::string down = Stream(ends.origin, kFlood);
  const std::string up = Stream(ends.client, kFlood);
  auto origin = std::async(std::launch::async, [&] {
    ends.origin.Send(down);
    return ends.origin.Read(up.size());
  });
  // Both directions are full by now; the one must still flow.
  const std::size_t sent = ends.client.SendUntilStuck(up);
  EXPECT_LT(sent, up.size());
  EXPECT_TRUE(ends.client.Read(down.size()) == down);
  ends.client.Send(std::string_view(up).substr(sent));
  EXPECT_TRUE(origin.get() == up);
}

TEST_F(FlowTest, AClientThatWritesWithoutReadingBlocksNobodyElse) {
  StartWith("60s");
  Ends ends = Open();
  const std::string down = Stream(ends.origin, kFlood);
  const std::string up = Stream(ends.client, kFlood);
  auto client = std::async(std::launch::async, [&] {
    ends.client.Send(up);
    return ends.client.Read(down.size());
  });
  const std::size_t sent = ends.origin.SendUntilStuck(down);
  EXPECT_LT(sent, down.size());
  EXPECT_TRUE(ends.origin.Read(up.size()) == up);
  ends.origin.Send(std::string_view(down).substr(sent));
  EXPECT_TRUE(client.get() == down);
}

TEST_F(FlowTest, AnUpstreamThatDoesNotReadHoldsItsClientBack) {
  StartWith("1s");
  Ends ends = Open();
  const long memory = guard().ResidentMemory();
  const std::string up = Stream(ends.client, kFlood);
  const std::size_t sent = ends.client.SendUntilStuck(up);
  EXPECT_LT(sent, up.size());
  EXPECT_LT(guard().ResidentMemory() - memory, kMemory);
  auto rest =
      std::async(std::launch::async, [&] { ends.client.Send(std::string_view(up).substr(sent)); });
  EXPECT_TRUE(ends.origin.Read(up.size()) == up);
  rest.get();
  for (std::size_t i = 0; i < kFlood; ++i) ends.origin.SendText("answer");
}

// --- heartbeat

TEST_F(FlowTest, ASilentClientIsPingedAndThenDropped) {
  StartWith("1s", "{client: {interval: 300ms, timeout: 300ms}}");
  Ends ends = Open();
  const Stopwatch since;
  const WireFrame ping = ends.client.ReadFrame();
  EXPECT_EQ(ping.first, 0x89);
  EXPECT_GE(since.elapsed(), 250ms);
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  EXPECT_GE(since.elapsed(), 550ms);
  EXPECT_EQ(ends.client.ReadToEnd(), "");
  EXPECT_EQ(guard().Metric("connguard_heartbeat_timeouts_total", "client"), 1);
}

TEST_F(FlowTest, AClientThatAnswersPingsStays) {
  StartWith("1s", "{client: {interval: 200ms, timeout: 1s}}");
  Ends ends = Open();
  for (int i = 0; i < 3; ++i) {
    const WireFrame ping = ends.client.ReadFrame();
    EXPECT_EQ(ping.first, 0x89);
    ends.client.SendPong(ping.payload);
  }
  ends.client.SendText("here");
  EXPECT_EQ(ends.origin.ReadText(), "here");
}

TEST_F(FlowTest, ASilentIdleUpstreamIsResetAndItsClientTold) {
  StartWith("1s", "{upstream: {interval: 200ms, timeout: 200ms}}");
  Ends ends = Open();
  const WireFrame ping = ends.origin.ReadFrame();
  EXPECT_EQ(ping.first, 0x89);
  EXPECT_TRUE(ping.masked);
  EXPECT_EQ(ends.client.ReadClose(), 1011);
  PeerEnd end = PeerEnd::kFin;
  EXPECT_EQ(ends.origin.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kReset);
}

TEST_F(FlowTest, ASilentUpstreamIsNotKilledInMidTurn) {
  StartWith("1s", "{upstream: {interval: 200ms, timeout: 200ms}}");
  Ends ends = OpenInTurn();
  // Each further ping shows that the one before it went unanswered for longer than the time-out.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ends.origin.ReadFrame().first, 0x89);
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ends.origin.ReadFrame().first, 0x89);
  ends.origin.SendText("answer");
  WireFrame next = ends.origin.ReadFrame();
  while (next.first == 0x89) next = ends.origin.ReadFrame();
  EXPECT_EQ(next.first, 0x88);
}

}  // namespace
}  // namespace connguard::testing
