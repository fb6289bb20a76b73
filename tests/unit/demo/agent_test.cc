// The demo's agent over real sockets: it works, it breaks as the real ones do, a restart cures it.
#include "demo/agent.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <tuple>

#include "raw_client.h"

namespace connguard::demo {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kOk = 200;
constexpr int kSwitching = 101;
constexpr int kInternalError = 500;
constexpr std::uint8_t kText = 0x1;
constexpr std::uint8_t kBinary = 0x2;
constexpr std::uint8_t kClose = 0x8;
constexpr std::uint8_t kPing = 0x9;
constexpr std::uint8_t kPong = 0xa;
constexpr const char* kHello = R"({"text":"hello you"})";

class DemoAgentTest : public testing::Test {
 protected:
  int Connect(const std::string& user) { return RawClient(agent_.port()).Upgrade("/ws/" + user); }

  // Waits until the agent's log has `event` of `user`, for 10 s.
  bool Logged(const std::string& user, const std::string& event) {
    const auto deadline = steady_clock::now() + 10s;
    while (steady_clock::now() < deadline) {
      RawClient client(agent_.port());
      if (client.Request("GET", "/log") != kOk) return false;
      for (const auto& line : nlohmann::json::parse(client.body())) {
        const std::string text = line["event"];
        if (line["user"] == user && text.starts_with(event)) return true;
      }
    }
    return false;
  }

  // Leaves a turn of `user` by `leave` once its third token has come.
  template <typename Leave>
  void DropInMidTurn(const std::string& user, Leave leave) {
    RawClient client(agent_.port());
    ASSERT_EQ(client.Upgrade("/ws/" + user), kSwitching);
    client.SendText(kHello);
    for (int token = 0; token < 3; ++token) ASSERT_TRUE(client.ReadFrame());
    leave(client);
    ASSERT_TRUE(Logged(user, "turn failed"));
  }

  DemoAgent agent_{Address{"127.0.0.1", 0, ""}};
};

TEST_F(DemoAgentTest, ATurnStreamsTokensAndEndsWithTheWholeAnswer) {
  RawClient client(agent_.port());
  ASSERT_EQ(client.Upgrade("/ws/ada"), kSwitching);
  const auto start = steady_clock::now();
  client.SendText(kHello);
  const auto messages = client.ReadTurn();
  const auto took = steady_clock::now() - start;
  ASSERT_GT(messages.size(), 40u);
  std::string streamed;
  for (std::size_t i = 0; i + 1 < messages.size(); ++i) {
    const auto token = nlohmann::json::parse(messages[i]);
    EXPECT_EQ(token["type"], "chat_token");
    streamed += token["content"];
  }
  const auto final = nlohmann::json::parse(messages.back());
  EXPECT_EQ(final["type"], "chat");
  EXPECT_EQ(final["content"], streamed);
  EXPECT_GT(took, 3s);
  EXPECT_LT(took, 9s);
}

TEST_F(DemoAgentTest, ASecondMessageIsAnsweredOnlyAfterTheFirstTurn) {
  RawClient client(agent_.port());
  ASSERT_EQ(client.Upgrade("/ws/ada"), kSwitching);
  client.SendText(R"({"text":"one"})");
  client.SendText(R"({"text":"one two three"})");
  const auto first = client.ReadTurn();
  const auto second = client.ReadTurn();
  ASSERT_FALSE(first.empty());
  ASSERT_FALSE(second.empty());
  EXPECT_NE(first.back().find("You sent 1 word."), std::string::npos);
  EXPECT_NE(second.back().find("You sent 3 words."), std::string::npos);
}

TEST_F(DemoAgentTest, APingIsAnsweredInMidTurn) {
  RawClient client(agent_.port());
  ASSERT_EQ(client.Upgrade("/ws/ada"), kSwitching);
  client.SendText(kHello);
  client.SendFrame(kPing, "?");
  auto frame = client.ReadFrame();
  while (frame && frame->opcode == kText &&
         frame->payload.find("chat_token") != std::string::npos) {
    frame = client.ReadFrame();
  }
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->opcode, kPong);
  EXPECT_EQ(frame->payload, "?");
}

TEST_F(DemoAgentTest, ADropInMidTurnBreaksEveryLaterConnectOfThatUser) {
  DropInMidTurn("ada", [](RawClient& client) { client.Reset(); });
  for (int attempt = 0; attempt < 3; ++attempt) {
    RawClient client(agent_.port());
    EXPECT_EQ(client.Upgrade("/ws/ada"), kInternalError);
    EXPECT_EQ(client.body(),
              "Unexpected ASGI message 'websocket.close', after sending 'websocket.close'");
  }
  EXPECT_EQ(Connect("%61da"), kInternalError) << "the same user, named otherwise";
  EXPECT_EQ(Connect("bob"), kSwitching);
  EXPECT_TRUE(Logged("ada", "connect failed: HTTP 500"));
}

TEST_F(DemoAgentTest, ACloseInMidTurnBreaksItTooAlthoughItIsAnsweredAtOnce) {
  DropInMidTurn("ada", [this](RawClient& client) {
    client.SendFrame(kClose, std::string("\x03\xe8", 2));
    auto frame = client.ReadFrame();
    while (frame && frame->opcode == kText) frame = client.ReadFrame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->opcode, kClose);
    EXPECT_EQ(Connect("ada"), kInternalError) << "even before the old connection is gone";
    client.Reset();
  });
  EXPECT_EQ(Connect("ada"), kInternalError);
}

TEST_F(DemoAgentTest, AResetOfTheAgentCuresTheUser) {
  DropInMidTurn("ada", [](RawClient& client) { client.Reset(); });
  ASSERT_EQ(Connect("ada"), kInternalError);
  EXPECT_EQ(RawClient(agent_.port()).Request("POST", "/reset"), 204);
  EXPECT_EQ(Connect("ada"), kSwitching);
}

TEST_F(DemoAgentTest, ADropBetweenTurnsIsHarmless) {
  for (int round = 0; round < 3; ++round) {
    RawClient client(agent_.port());
    ASSERT_EQ(client.Upgrade("/ws/ada"), kSwitching);
    client.Reset();
    ASSERT_TRUE(Logged("ada", "disconnected"));
    ASSERT_EQ(RawClient(agent_.port()).Request("POST", "/reset"), 204) << "for an empty log";
  }
}

TEST_F(DemoAgentTest, ALiveSocketIsClosedForTheNextConnectOfItsUser) {
  RawClient old_client(agent_.port());
  ASSERT_EQ(old_client.Upgrade("/ws/ada"), kSwitching);
  RawClient new_client(agent_.port());
  ASSERT_EQ(new_client.Upgrade("/ws/ada"), kSwitching);
  const auto frame = old_client.ReadFrame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->opcode, kClose);
  EXPECT_EQ(frame->payload.substr(0, 2), std::string("\x03\xe8", 2));
  new_client.SendText(R"({"no":"text"})");
  EXPECT_EQ(new_client.ReadTurn().size(), 1u);
}

TEST_F(DemoAgentTest, AMessageThatIsNoJsonObjectKillsTheSession) {
  for (const auto& [user, opcode, payload] :
       {std::tuple{"ada", kText, "hello"}, std::tuple{"bob", kText, "[1]"},
        std::tuple{"eve", kBinary, kHello}}) {
    RawClient client(agent_.port());
    ASSERT_EQ(client.Upgrade("/ws/" + std::string(user)), kSwitching);
    client.SendFrame(opcode, payload);
    const auto frame = client.ReadFrame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->opcode, kClose);
    EXPECT_EQ(frame->payload.substr(0, 2), std::string("\x03\xf3", 2));
    EXPECT_EQ(Connect(user), kInternalError);
  }
}

TEST_F(DemoAgentTest, AMessageOver64KiBEndsTheConnection) {
  RawClient client(agent_.port());
  ASSERT_EQ(client.Upgrade("/ws/ada"), kSwitching);
  client.SendText(std::string(64 * 1024 + 1, 'x'));
  EXPECT_TRUE(client.ReadTurn().empty());
  EXPECT_TRUE(Logged("ada", "disconnected"));
}

TEST_F(DemoAgentTest, ServesThePageAndItsOwnPort) {
  RawClient page(agent_.port());
  EXPECT_EQ(page.Request("GET", "/"), kOk);
  EXPECT_NE(page.body().find("<title>connguard demo</title>"), std::string::npos);
  EXPECT_NE(page.head().find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  RawClient about(agent_.port());
  EXPECT_EQ(about.Request("GET", "/demo.json"), kOk);
  EXPECT_EQ(nlohmann::json::parse(about.body())["agent_port"], agent_.port());
  EXPECT_EQ(RawClient(agent_.port()).Request("GET", "/healthz"), kOk);
  RawClient head(agent_.port());
  EXPECT_EQ(head.Request("HEAD", "/demo.js"), kOk);
  EXPECT_EQ(head.body(), "");
}

TEST_F(DemoAgentTest, EveryOtherPathIsNotFound) {
  for (const char* path : {"/nothing", "/ws", "/ws/", "/ws/a/b", "/reset"}) {
    EXPECT_EQ(RawClient(agent_.port()).Request("GET", path), 404) << path;
  }
  EXPECT_EQ(RawClient(agent_.port()).Upgrade("/chat"), 404);
  EXPECT_EQ(RawClient(agent_.port()).Upgrade("/ws/" + std::string(129, 'a')), 404);
}

TEST_F(DemoAgentTest, StopsInMidTurn) {
  RawClient client(agent_.port());
  ASSERT_EQ(client.Upgrade("/ws/ada"), kSwitching);
  client.SendText(kHello);
  ASSERT_TRUE(client.ReadFrame());
}

std::string BindError(const Address& bind) {
  try {
    const DemoAgent agent(bind);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_F(DemoAgentTest, AFailureToListenNamesTheAddressAndTheReason) {
  const std::string port = std::to_string(agent_.port());
  EXPECT_EQ(BindError({"127.0.0.1", agent_.port(), ""}),
            "demo agent: cannot listen on 127.0.0.1:" + port + ": Address already in use");
  EXPECT_EQ(BindError({"nowhere", 1865, ""}),
            "demo agent: cannot listen on nowhere:1865: not an IP address");
  EXPECT_EQ(BindError({"", 0, "/run/agent.sock"}),
            "demo agent: cannot listen on unix:/run/agent.sock: an IP address is needed");
}

}  // namespace
}  // namespace connguard::demo
