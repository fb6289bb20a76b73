// Pings, pongs, and what is told when a leg ends without a word.
#include <poll.h>

#include <future>
#include <string>
#include <utility>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

constexpr std::uint8_t kPing = 0x89;
constexpr std::uint8_t kPong = 0x8A;

class LivenessTest : public GuardTest {
 protected:
  void StartWith(const std::string& heartbeat) {
    StartGuard({.upstream = "", .heartbeat = heartbeat});
  }
  double Count(std::string_view metric, std::string_view label) {
    return guard().Metric(std::string(metric) + "_count", label);
  }
};

TEST_F(LivenessTest, OwnPongsAreSwallowedAndMeasured) {
  StartWith("{client: {interval: 200ms, timeout: 10s}, upstream: {interval: 200ms, timeout: 10s}}");
  auto [client, origin] = Open();
  client.SendPong(client.ReadFrame().payload);
  origin.SendPong(origin.ReadFrame().payload);
  for (const std::string side : {"client", "upstream"}) {
    guard().AwaitMetric("connguard_ping_rtt_seconds_count", "side=\"" + side + "\"", 1);
  }
  client.SendText("next");
  WireFrame frame = origin.ReadFrame();
  while (frame.first == kPing) frame = origin.ReadFrame();
  EXPECT_EQ(frame.payload, "next");  // no pong came before it
}

TEST_F(LivenessTest, PongOfAnotherPingTellsNothing) {
  StartWith("{client: {interval: 200ms, timeout: 10s}}");
  auto [client, origin] = Open();
  std::string payload = client.ReadFrame().payload;
  client.SendPong("unsolicited");
  payload.back() = static_cast<char>(payload.back() ^ 1);
  client.SendPong(payload);
  client.SendText("next");
  EXPECT_EQ(origin.ReadText(), "next");
  EXPECT_EQ(Count("connguard_ping_rtt_seconds", "client"), 0);
}

TEST_F(LivenessTest, PingsAreAnsweredOnTheirOwnLeg) {
  StartGuard();
  auto [client, origin] = Open();
  client.SendPing("up");
  EXPECT_EQ(client.ReadFrame().payload, "up");
  origin.SendPing("down");
  const WireFrame pong = origin.ReadFrame();
  EXPECT_EQ(pong.first, kPong);
  EXPECT_EQ(pong.payload, "down");
  EXPECT_TRUE(client.Silent());
}

TEST_F(LivenessTest, ForwardedPingsAndPongsPassByteForByte) {
  StartWith("{forward: true}");
  auto [client, origin] = Open();
  for (const std::uint8_t opcode : {std::uint8_t{9}, std::uint8_t{10}}) {
    for (const std::string& payload : {std::string(), std::string("beat"), std::string(125, 'p')}) {
      const std::string up = client.MakeFrame({.opcode = opcode}, payload);
      client.Send(up);
      EXPECT_EQ(origin.Read(up.size()), up);
      const std::string down = origin.MakeFrame({.opcode = opcode}, payload);
      origin.Send(down);
      EXPECT_EQ(client.Read(down.size()), down);
    }
  }
}

TEST_F(LivenessTest, ForwardedPingGoesBetweenTheFragmentsOfAMessage) {
  StartWith("{forward: true}");
  auto [client, origin] = Open();
  const std::string stream = client.MakeFrame({.fin = false}, "one ") +
                             client.MakeFrame({.opcode = 9}, "beat") +
                             client.MakeFrame({.opcode = 0}, "message");
  client.SendByteByByte(stream);
  EXPECT_EQ(origin.Read(stream.size()), stream);
}

TEST_F(LivenessTest, GuardsOwnPingsStayItsOwnWhereOthersPass) {
  StartWith("{forward: true, client: {interval: 200ms, timeout: 10s}}");
  auto [client, origin] = Open();
  client.SendPong(client.ReadFrame().payload);
  guard().AwaitMetric("connguard_ping_rtt_seconds_count", "client", 1);
  client.SendText("next");
  EXPECT_EQ(origin.ReadText(), "next");
}

TEST_F(LivenessTest, ForAClientThatHasGoneTheGuardAnswers) {
  StartWith("{forward: true}");
  auto [client, origin] = OpenInTurn();
  client.Reset();
  guard().AwaitTunnels("shielded", 1);
  origin.SendPing("alive?");
  const WireFrame pong = origin.ReadFrame();
  EXPECT_EQ(pong.first, kPong);
  EXPECT_EQ(pong.payload, "alive?");
}

TEST_F(LivenessTest, BusyUpstreamsSilenceIsCountedAsAStall) {
  StartWith("{upstream: {interval: 200ms, timeout: 200ms}}");
  auto [client, origin] = OpenInTurn();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(origin.ReadFrame().first, kPing);
  origin.SendText("answer");
  EXPECT_EQ(client.ReadText(), "answer");
  guard().AwaitMetric("connguard_upstream_stall_seconds_count", "chat", 1);  // one, however long
  EXPECT_GE(guard().Metric("connguard_upstream_stall_seconds_sum", "chat"), 0.3);
}

TEST_F(LivenessTest, ClientThatReadsSlowlyIsNotTakenForDead) {
  StartGuard({.upstream = "", .heartbeat = "{client: {interval: 100ms, timeout: 200ms}}"});
  TestClient client = guard().Connect(4096);
  client.SendHandshake("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.Upgrade();
  client.ExpectStatus(101);
  const std::string answer = origin.MakeFrame({.opcode = 2}, std::string(200'000, 'x'));
  std::future<void> sending = std::async(std::launch::async, [&] {
    for (int i = 0; i < 20; ++i) origin.Send(answer);
  });
  // It never comes to a ping in time: each waits behind what it has not read.
  std::size_t got = 0;
  int pings = 0;
  while (got < 20 * answer.size()) {
    const WireFrame frame = client.ReadFrame();
    if (frame.first == kPing) {
      ++pings;
    } else {
      got += frame.raw.size();
      poll(nullptr, 0, 60);
    }
  }
  sending.get();
  EXPECT_GT(pings, 0);
}

TEST_F(LivenessTest, RouteChoosesWhatItsClientsAreTold) {
  StartGuard({.upstream = "",
              .session = "key: \"{path.user}\", settle: 0, close_timeout: 2s}\n"
                         "    close_codes: {upstream_lost: 4001, superseded: 4002"});
  {
    auto [client, origin] = Open();
    origin.Close();
    EXPECT_EQ(client.ReadClose(), 4001);
  }
  {
    auto [client, origin] = Open();
    origin.Reset();
    EXPECT_EQ(client.ReadClose(), 1011);  // not chosen: the table's
  }
  auto [client, origin] = Open();
  TestClient next = Connect("/ws/ann");
  EXPECT_EQ(client.ReadClose(), 4002);
}

}  // namespace
}  // namespace connguard::testing
