// The agent's memory: its bounds, and whose disconnect releases a session.
#include "demo/memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace connguard::demo {
namespace {

class Socket : public SessionSocket {
 public:
  bool closed() const override { return !codes.empty(); }
  void Close(std::uint16_t code) override { codes.push_back(code); }

  std::vector<std::uint16_t> codes;
};

using Admission = AgentMemory::Admission;

TEST(AgentMemoryTest, ALateDisconnectOfTheOldSocketDoesNotReleaseTheNewOne) {
  AgentMemory memory;
  const auto old_socket = std::make_shared<Socket>();
  const auto new_socket = std::make_shared<Socket>();
  memory.Enter("ada", old_socket);
  ASSERT_EQ(memory.Admit("ada"), Admission::kGranted);
  memory.Enter("ada", new_socket);
  memory.Disconnect("ada", *old_socket);
  ASSERT_EQ(memory.Admit("ada"), Admission::kGranted);
  EXPECT_EQ(new_socket->codes, std::vector<std::uint16_t>{1000});
  EXPECT_EQ(memory.Admit("ada"), Admission::kStale);
}

TEST(AgentMemoryTest, SessionsAreBoundedAndAKnownUserIsStillAdmitted) {
  AgentMemory memory;
  for (std::size_t i = 0; i < AgentMemory::kMaxSessions; ++i) {
    ASSERT_EQ(memory.Admit(std::to_string(i)), Admission::kGranted);
    memory.Enter(std::to_string(i), std::make_shared<Socket>());
  }
  EXPECT_EQ(memory.Admit("ada"), Admission::kFull);
  EXPECT_EQ(memory.Admit("0"), Admission::kGranted);
}

TEST(AgentMemoryTest, ARestartClosesTheLiveSocketsAndForgetsAll) {
  AgentMemory memory;
  const auto live = std::make_shared<Socket>();
  const auto stale = std::make_shared<Socket>();
  stale->Close(1000);
  memory.Enter("ada", live);
  memory.Enter("bob", stale);
  memory.Restart();
  EXPECT_EQ(live->codes, std::vector<std::uint16_t>{1012});
  EXPECT_EQ(stale->codes, std::vector<std::uint16_t>{1000});
  EXPECT_EQ(memory.Admit("bob"), Admission::kGranted);
  EXPECT_TRUE(memory.log().empty());
}

TEST(AgentMemoryTest, TheLogKeepsItsLastLines) {
  AgentMemory memory;
  for (std::size_t i = 0; i <= AgentMemory::kMaxLogLines; ++i) memory.Log("ada", std::to_string(i));
  EXPECT_EQ(memory.log().size(), AgentMemory::kMaxLogLines);
  EXPECT_EQ(memory.log().front().event, "1");
}

}  // namespace
}  // namespace connguard::demo
