// Frames of an open tunnel.
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using RelayTest = GuardTest;

std::string Letters(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

constexpr std::size_t kSizes[] = {0, 1, 125, 126, 65535, 65536, 1 << 20};

TEST_F(RelayTest, FramesOfEverySizeReachTheUpstreamByteForByte) {
  StartGuard();
  auto [client, origin] = Open();
  for (const std::size_t size : kSizes) {
    const MaskKey key = {0xA1, static_cast<std::uint8_t>(size), 0xFF, 0x00};
    const std::string frame = client.MakeFrame({.opcode = 2, .key = key}, Letters(size));
    client.Send(frame);
    EXPECT_TRUE(origin.Read(frame.size()) == frame) << size;
  }
}

TEST_F(RelayTest, FramesOfEverySizeReachTheClientByteForByte) {
  StartGuard();
  auto [client, origin] = Open();
  for (const std::size_t size : kSizes) {
    const std::string frame = origin.MakeFrame({.opcode = 1}, Letters(size));
    origin.Send(frame);
    EXPECT_TRUE(client.Read(frame.size()) == frame) << size;
  }
}

TEST_F(RelayTest, FragmentsStayFragments) {
  StartGuard();
  auto [client, origin] = Open();
  const auto fragments = [](const Peer& peer) {
    return peer.MakeFrame({.opcode = 1, .fin = false}, "one ") +
           peer.MakeFrame({.opcode = 0, .fin = false}, "") +
           peer.MakeFrame({.opcode = 0, .fin = false}, Letters(70'000)) +
           peer.MakeFrame({.opcode = 0}, "two");
  };
  client.Send(fragments(client));
  EXPECT_TRUE(origin.Read(fragments(client).size()) == fragments(client));
  origin.Send(fragments(origin));
  EXPECT_TRUE(client.Read(fragments(origin).size()) == fragments(origin));
}

TEST_F(RelayTest, ACompressedMessagePassesWhenTheUpstreamAgreedToCompression) {
  StartGuard();
  auto [client, origin] = Open("/ws/ann", "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                               "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  const std::string up = client.MakeFrame({.opcode = 1, .rsv = 0x40}, "\xf2\x48\xcd\x01");
  client.Send(up);
  EXPECT_EQ(origin.Read(up.size()), up);
  const std::string down = origin.MakeFrame({.opcode = 1, .rsv = 0x40}, "\xf2\x48\xcd\x01");
  origin.Send(down);
  EXPECT_EQ(client.Read(down.size()), down);
}

TEST_F(RelayTest, PingsAreAnsweredOnTheLegTheyCameFromAndNotPassedOn) {
  StartGuard();
  auto [client, origin] = Open();
  client.SendPing("mine");
  const WireFrame to_client = client.ReadFrame();
  EXPECT_EQ(to_client.first, 0x8A);
  EXPECT_FALSE(to_client.masked);
  EXPECT_EQ(to_client.payload, "mine");
  origin.SendPing("yours");
  const WireFrame to_origin = origin.ReadFrame();
  EXPECT_EQ(to_origin.first, 0x8A);
  EXPECT_TRUE(to_origin.masked);
  EXPECT_EQ(to_origin.payload, "yours");
  EXPECT_TRUE(client.Silent());
  EXPECT_TRUE(origin.Silent());
}

TEST_F(RelayTest, ControlFramesBetweenFragmentsAreAnsweredAndTheFragmentsStayWhole) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string one = client.MakeFrame({.opcode = 1, .fin = false}, "one");
  const std::string two = client.MakeFrame({.opcode = 0}, "two");
  client.Send(one + client.MakeFrame({.opcode = 9}, "p") + client.MakeFrame({.opcode = 10}, "") +
              two);
  EXPECT_EQ(origin.Read(one.size() + two.size()), one + two);
  EXPECT_EQ(client.ReadFrame().payload, "p");
  const std::string three = origin.MakeFrame({.opcode = 2, .fin = false}, "three");
  const std::string four = origin.MakeFrame({.opcode = 0}, "four");
  origin.Send(three + origin.MakeFrame({.opcode = 9}, "q") + four);
  EXPECT_EQ(client.Read(three.size() + four.size()), three + four);
  EXPECT_EQ(origin.ReadFrame().payload, "q");
}

TEST_F(RelayTest, APongToTheClientWaitsForTheEndOfTheUpstreamsFrame) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string frame = origin.MakeFrame({.opcode = 2}, Letters(1000));
  origin.Send(frame.substr(0, 500));
  EXPECT_EQ(client.Read(500), frame.substr(0, 500));
  client.SendPing("soon");
  EXPECT_TRUE(client.Silent());
  origin.Send(frame.substr(500));
  EXPECT_EQ(client.Read(504), frame.substr(500));
  EXPECT_EQ(client.ReadFrame().payload, "soon");
}

TEST_F(RelayTest, APongToTheUpstreamWaitsForTheEndOfTheClientsFrame) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string frame = client.MakeFrame({.opcode = 2}, Letters(1000));
  client.Send(frame.substr(0, 500));
  EXPECT_EQ(origin.Read(500), frame.substr(0, 500));
  origin.SendPing("soon");
  EXPECT_TRUE(origin.Silent());
  client.Send(frame.substr(500));
  EXPECT_EQ(origin.Read(frame.size() - 500), frame.substr(500));
  EXPECT_EQ(origin.ReadFrame().payload, "soon");
}

TEST_F(RelayTest, OurOwnPingsGoToBothSidesAndTheirPongsAreSwallowed) {
  GuardSetup setup;
  setup.heartbeat =
      "{client: {interval: 100ms, timeout: 2s}, upstream: {interval: 100ms, timeout: 2s}}";
  StartGuard(setup);
  auto [client, origin] = Open();
  const WireFrame to_client = client.ReadFrame();
  const WireFrame to_origin = origin.ReadFrame();
  EXPECT_EQ(to_client.first, 0x89);
  EXPECT_EQ(to_origin.first, 0x89);
  client.SendPong(to_client.payload);
  origin.SendPong(to_origin.payload);
  EXPECT_EQ(client.ReadFrame().first, 0x89);  // the next one, and nothing before it
  EXPECT_EQ(origin.ReadFrame().first, 0x89);
}

TEST_F(RelayTest, ASilentClientIsGivenUpAndTheUpstreamGets1001) {
  GuardSetup setup;
  setup.heartbeat = "{client: {interval: 50ms, timeout: 100ms}, upstream: {interval: 0}}";
  StartGuard(setup);
  auto [client, origin] = Open();
  EXPECT_EQ(client.ReadFrame().first, 0x89);
  EXPECT_EQ(origin.ReadClose(), 1001);
  PeerEnd end = PeerEnd::kFin;
  client.ReadToEnd(&end);
  EXPECT_EQ(end, PeerEnd::kReset);
}

TEST_F(RelayTest, ASilentUpstreamBetweenTurnsIsGivenUpAndTheClientGets1011) {
  GuardSetup setup;
  setup.heartbeat = "{client: {interval: 0}, upstream: {interval: 50ms, timeout: 100ms}}";
  StartGuard(setup);
  auto [client, origin] = Open();
  EXPECT_EQ(client.ReadClose(), 1011);
  EXPECT_EQ(origin.ReadFrame().first, 0x89);
  client.SendClose(1011);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(RelayTest, ABusyUpstreamIsNeverKilledForALatePong) {
  GuardSetup setup;
  setup.heartbeat = "{client: {interval: 0}, upstream: {interval: 20ms, timeout: 40ms}}";
  StartGuard(setup);
  auto [client, origin] = OpenInTurn();
  for (int pings = 0; pings < 5; ++pings) EXPECT_EQ(origin.ReadFrame().first, 0x89);
  origin.SendText("at last");
  EXPECT_EQ(client.ReadText(), "at last");
}

}  // namespace
}  // namespace connguard::testing
