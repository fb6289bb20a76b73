// Frames that arrive in pieces: what reaches the other side does not depend on the cuts.
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using RelaySplitTest = GuardTest;

std::string Medley(const Peer& peer) {
  return peer.MakeFrame({.opcode = 1}, "") + peer.MakeFrame({.opcode = 1, .fin = false}, "frag") +
         peer.MakeFrame({.opcode = 0}, "ment") +
         peer.MakeFrame({.opcode = 2}, std::string(200, 'm')) +
         peer.MakeFrame({.opcode = 2, .length_form = 0}, std::string(66'000, 'l'));
}

TEST_F(RelaySplitTest, FramesOfTheClientMayComeByteByByte) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string frames = Medley(client);
  client.SendByteByByte(frames.substr(0, 400));
  client.Send(frames.substr(400));
  EXPECT_TRUE(origin.Read(frames.size()) == frames);
}

TEST_F(RelaySplitTest, FramesOfTheUpstreamMayComeByteByByte) {
  StartGuard();
  auto [client, origin] = Open();
  const std::string frames = Medley(origin);
  origin.SendByteByByte(frames.substr(0, 400));
  origin.Send(frames.substr(400));
  EXPECT_TRUE(client.Read(frames.size()) == frames);
}

TEST_F(RelaySplitTest, APingThatComesByteByByteIsAnswered) {
  StartGuard();
  auto [client, origin] = Open();
  client.SendByteByByte(client.MakeFrame({.opcode = 9}, "slow"));
  EXPECT_EQ(client.ReadFrame().payload, "slow");
  origin.SendByteByByte(origin.MakeFrame({.opcode = 9}, "slower"));
  EXPECT_EQ(origin.ReadFrame().payload, "slower");
}

TEST_F(RelaySplitTest, ManyFramesOfOneWriteKeepTheirOrder) {
  StartGuard();
  auto [client, origin] = Open();
  std::string frames;
  for (int i = 0; i < 3000; ++i) frames += client.MakeFrame({.opcode = 1}, std::to_string(i));
  client.Send(frames);
  EXPECT_TRUE(origin.Read(frames.size()) == frames);
}

}  // namespace
}  // namespace connguard::testing
