// The guard's configuration for the demo.
#include "demo/demo_config.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

class DemoConfigTest : public testing::Test {
 protected:
  const Config config_ = DemoConfig(Address{"127.0.0.1", 8080, ""}, 4711);
};

TEST_F(DemoConfigTest, ListensWhereItIsToldAndGoesToTheAgentsPort) {
  ASSERT_EQ(config_.listeners.size(), 1u);
  EXPECT_EQ(config_.listeners[0].bind, (Address{"127.0.0.1", 8080, ""}));
  ASSERT_EQ(config_.upstreams.size(), 1u);
  EXPECT_EQ(config_.upstreams[0].address, (Address{"127.0.0.1", 4711, ""}));
  EXPECT_EQ(config_.upstreams[0].url, "http://127.0.0.1:4711");
  EXPECT_EQ(config_.admin.value().bind, (Address{"127.0.0.1", 9180, ""}));
}

TEST_F(DemoConfigTest, TheChatIsFencedByItsUserOneTurnAtATime) {
  ASSERT_EQ(config_.routes.size(), 2u);
  const RouteConfig& chat = config_.routes[0];
  ASSERT_EQ(chat.match.path.size(), 2u);
  EXPECT_EQ(chat.match.path[0].kind, PathSegment::Kind::kLiteral);
  EXPECT_EQ(chat.match.path[0].text, "ws");
  EXPECT_EQ(chat.match.path[1].kind, PathSegment::Kind::kName);
  EXPECT_EQ(chat.match.path[1].text, "user_id");
  ASSERT_EQ(chat.session.key.size(), 1u);
  ASSERT_EQ(chat.session.key[0].size(), 1u);
  EXPECT_EQ(chat.session.key[0][0].source, KeyPart::Source::kPath);
  EXPECT_EQ(chat.session.key[0][0].name, "user_id");
  EXPECT_EQ(chat.session.settle, Millis{100});
  EXPECT_EQ(chat.session.barrier_path, "/healthz");
  EXPECT_EQ(chat.turn.policy.end, TurnEnd::kMatch);
  EXPECT_EQ(chat.turn.policy.window, 1u);
  EXPECT_EQ(chat.turn.end_pointer, "/type");
  EXPECT_EQ(chat.turn.end_values, (std::vector<std::string>{"chat", "error"}));
  EXPECT_TRUE(chat.turn.accept_json_object);
  EXPECT_EQ(chat.turn.linger, Millis{50});
}

TEST_F(DemoConfigTest, EverythingElseGoesToTheAgentUnfenced) {
  const RouteConfig& rest = config_.routes[1];
  ASSERT_EQ(rest.match.path.size(), 1u);
  EXPECT_EQ(rest.match.path[0].kind, PathSegment::Kind::kRest);
  EXPECT_TRUE(rest.session.key.empty());
  EXPECT_EQ(rest.upstream, 0u);
}

}  // namespace
}  // namespace connguard
