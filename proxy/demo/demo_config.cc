// The guard's configuration for `connguard demo`.
#include "demo/demo_config.h"

#include <string>
#include <utility>

namespace connguard {
namespace {

constexpr std::uint16_t kAdminPort = 9180;

UpstreamConfig AgentUpstream(std::uint16_t agent_port) {
  UpstreamConfig upstream;
  upstream.name = "agent";
  upstream.url = "http://127.0.0.1:" + std::to_string(agent_port);
  upstream.address.host = "127.0.0.1";
  upstream.address.port = agent_port;
  return upstream;
}

RouteConfig ChatRoute() {
  RouteConfig chat;
  chat.name = "chat";
  chat.match.path = {{PathSegment::Kind::kLiteral, "ws"}, {PathSegment::Kind::kName, "user_id"}};
  chat.session.key = {{{KeyPart::Source::kPath, "user_id"}}};
  chat.session.settle = Millis{100};
  chat.session.barrier_path = "/healthz";
  chat.turn.policy.end = TurnEnd::kMatch;
  chat.turn.policy.window = 1;
  chat.turn.end_pointer = "/type";
  chat.turn.end_values = {"chat", "error"};
  chat.turn.accept_json_object = true;
  chat.turn.linger = Millis{50};
  return chat;
}

RouteConfig RestRoute() {
  RouteConfig rest;
  rest.name = "rest";
  rest.match.path = {{PathSegment::Kind::kRest, ""}};
  return rest;
}

}  // namespace

Config DemoConfig(const Address& listen, std::uint16_t agent_port) {
  Config config;
  config.listeners.resize(1);
  config.listeners[0].name = "demo";
  config.listeners[0].bind = listen;
  config.upstreams = {AgentUpstream(agent_port)};
  config.routes = {ChatRoute(), RestRoute()};
  config.admin = AdminConfig{.bind = {"127.0.0.1", kAdminPort, ""}};
  return config;
}

}  // namespace connguard
