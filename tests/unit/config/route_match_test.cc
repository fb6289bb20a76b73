// Routes and session keys, on configurations as an operator writes them.
#include "config/route_match.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace connguard {
namespace {

const std::string kHead = R"yaml(
version: 1
listeners: [{name: l, bind: "127.0.0.1:1"}]
upstreams: [{name: one, url: "http://a:1"}, {name: two, url: "http://b:1"}]
routes:
)yaml";

Config Routes(const std::string& routes) {
  const Environment no_variables = [](std::string_view) { return std::nullopt; };
  LoadResult result = LoadConfigText(kHead + routes, "x.yaml", no_variables, {});
  for (const Diagnostic& diagnostic : result.diagnostics) ADD_FAILURE() << diagnostic.ToString();
  return std::move(result.config).value_or(Config{});
}

RequestHead Get(const std::string& target, std::vector<Field> fields = {}) {
  return {.method = "GET", .target = target, .version = 11, .fields = std::move(fields)};
}

// The matched route's name, with what its names stand for; "404" for none.
std::string Match(const Config& config, const RequestHead& head) {
  const auto matched = MatchRoute(config, head);
  if (!matched) return "404";
  std::string text = matched->route->name;
  for (const auto& [name, value] : matched->path_names) text += " " + name + "=" + value;
  return text;
}

// Without the upstream's name; "(none)" when not fenced.
std::string Key(const Config& config, const RequestHead& head, std::string_view ip = "192.0.2.1") {
  const auto matched = MatchRoute(config, head);
  if (!matched) return "404";
  const std::string key = SessionKey(config, *matched, head, ip);
  return key.empty() ? "(none)" : key.substr(key.find('\0') + 1);
}

TEST(RouteMatchTest, TheFirstMatchWins) {
  const Config config = Routes(R"yaml(
  - {name: a, match: {path: "/ws/special"}, upstream: one}
  - {name: b, match: {path: "/ws/{id}"}, upstream: one}
  - {name: c, match: {path: "/ws/**"}, upstream: one}
  - {name: d, upstream: one}
)yaml");
  EXPECT_EQ(Match(config, Get("/ws/special")), "a");
  EXPECT_EQ(Match(config, Get("/ws/specials")), "b id=specials");
  EXPECT_EQ(Match(config, Get("/ws/x/y")), "c");
  EXPECT_EQ(Match(config, Get("/ws/")), "c");
  EXPECT_EQ(Match(config, Get("/ws")), "c");
  EXPECT_EQ(Match(config, Get("/wsx")), "d");
  EXPECT_EQ(Match(config, Get("/")), "d");
}

TEST(RouteMatchTest, ANameIsOneSegmentThatIsNotEmpty) {
  const Config config = Routes("  - {name: a, match: {path: \"/{x}/m/{y}\"}, upstream: one}");
  EXPECT_EQ(Match(config, Get("/1/m/2")), "a x=1 y=2");
  EXPECT_EQ(Match(config, Get("/1/m/2?q=/z#f")), "a x=1 y=2");
  EXPECT_EQ(Match(config, Get("http://h:1/1/m/2")), "a x=1 y=2");
  for (const char* target : {"/1/m", "/1/m/", "//m/2", "/1/m/2/", "/1/M/2", "/1/m/2/3", "*", "/"}) {
    EXPECT_EQ(Match(config, Get(target)), "404") << target;
  }
}

TEST(RouteMatchTest, ATrailingSlashIsAPathOfItsOwn) {
  const Config config = Routes(R"yaml(
  - {name: none, match: {path: /ws}, upstream: one}
  - {name: slash, match: {path: /ws/}, upstream: one}
)yaml");
  EXPECT_EQ(Match(config, Get("/ws")), "none");
  EXPECT_EQ(Match(config, Get("/ws/")), "slash");
  EXPECT_EQ(Match(config, Get("/ws//")), "404");
}

TEST(RouteMatchTest, ThePathIsDecodedBeforeItIsCutAndCompared) {
  const Config config = Routes(R"yaml(
  - {name: ws, match: {path: "/ws/{id}"}, upstream: one}
  - {name: cafe, match: {path: "/café"}, upstream: one}
)yaml");
  EXPECT_EQ(Match(config, Get("/%77s/us%65r")), "ws id=user");
  EXPECT_EQ(Match(config, Get("/ws%2Fann")), "ws id=ann");
  EXPECT_EQ(Match(config, Get("/ws/a%2Fb")), "404");
  EXPECT_EQ(Match(config, Get("/ws/a+b")), "ws id=a+b");
  EXPECT_EQ(Match(config, Get("/ws/a%3Fb%23c")), "ws id=a?b#c");
  EXPECT_EQ(Match(config, Get("/ws/%2561")), "ws id=%61");
  EXPECT_EQ(Match(config, Get("/caf%C3%A9")), "cafe");
}

TEST(RouteMatchTest, DotSegmentsAreNeverNormalised) {
  const Config config = Routes(R"yaml(
  - {name: ws, match: {path: "/ws/{id}"}, upstream: one}
  - {name: rest, match: {path: "/**"}, upstream: one}
)yaml");
  EXPECT_EQ(Match(config, Get("/x/../ws/ann")), "rest");
  EXPECT_EQ(Match(config, Get("/./ws/ann")), "rest");
  EXPECT_EQ(Match(config, Get("/ws/%2E%2E")), "ws id=..");
  EXPECT_EQ(Match(config, Get("//ws/ann")), "rest");
}

TEST(RouteMatchTest, TheHostIsComparedWithoutPortAndCase) {
  const Config config = Routes(R"yaml(
  - {name: a, match: {host: A.example}, upstream: one}
  - {name: v6, match: {host: "[::1]"}, upstream: one}
)yaml");
  EXPECT_EQ(Match(config, Get("/", {{"HOST", "a.EXAMPLE:8080"}})), "a");
  EXPECT_EQ(Match(config, Get("/", {{"Host", "a.example"}})), "a");
  EXPECT_EQ(Match(config, Get("/", {{"Host", "[::1]:80"}})), "v6");
  EXPECT_EQ(Match(config, Get("/", {{"Host", "b.a.example"}})), "404");
  EXPECT_EQ(Match(config, Get("/")), "404");
  EXPECT_EQ(Match(config, Get("http://a.example:1/x", {{"Host", "b.example"}})), "a");
  EXPECT_EQ(Match(config, Get("/x?u=http://a.example/", {{"Host", "b.example"}})), "404");
}

TEST(RouteMatchTest, AllHeadersMustMatchInAnyOfTheirFields) {
  const Config config =
      Routes("  - {name: a, match: {header: {x-tenant: blue, X-Any: \"\"}}, upstream: one}");
  EXPECT_EQ(Match(config, Get("/", {{"X-Tenant", "blue"}, {"x-any", ""}})), "a");
  EXPECT_EQ(Match(config, Get("/", {{"x-tenant", "red"}, {"x-tenant", "blue"}, {"x-any", "1"}})),
            "a");
  EXPECT_EQ(Match(config, Get("/", {{"x-tenant", "Blue"}, {"x-any", ""}})), "404");
  EXPECT_EQ(Match(config, Get("/", {{"x-tenant", "blue"}})), "404");
}

TEST(SessionKeyTest, ARouteWithoutKeyIsNotFenced) {
  EXPECT_EQ(Key(Routes("  - {name: a, upstream: one}"), Get("/")), "(none)");
}

TEST(SessionKeyTest, TheFirstAlternativeWithoutAnEmptyPartWins) {
  const Config config = Routes(R"yaml(
  - name: a
    match: {path: "/{p}/**"}
    upstream: one
    session: {key: ["q-{query.u}", "h-{header.x-u}-{cookie.c}", "{path.p}@{client.ip}"]}
)yaml");
  EXPECT_EQ(Key(config, Get("/z?u=%61nn", {{"X-U", "h"}, {"Cookie", "c=1"}})), "q-ann");
  EXPECT_EQ(Key(config, Get("/z?u=", {{"X-U", "h"}, {"Cookie", "b=0; c=1"}})), "h-h-1");
  EXPECT_EQ(Key(config, Get("/z", {{"X-U", "h"}})), "z@192.0.2.1");
  EXPECT_EQ(Key(config, Get("/z"), ""), "(none)");
}

TEST(SessionKeyTest, EscapesDoNotMakeAnotherUser) {
  const Config config = Routes(
      "  - {name: a, match: {path: \"/ws/{id}\"}, upstream: one, session: {key: \"{path.id}\"}}");
  EXPECT_EQ(Key(config, Get("/ws/us%65r")), "user");
  EXPECT_EQ(Key(config, Get("/ws/%75%73%65%72?x")), "user");
}

TEST(SessionKeyTest, WhatOnlyTheGuardMaySayIsNotTakenFromTheClient) {
  Config config = Routes(R"yaml(
  - name: a
    upstream: one
    auth: {forward: {url: "http://auth:1/", headers: [X-User]}}
    session: {key: ["{header.x-user}", "{header.X-Subject}", "{header.X-Own}"]}
)yaml");
  const RequestHead head =
      Get("/", {{"X-User", "root"}, {"x-subject", "CN=root"}, {"X-Own", "me"}});
  EXPECT_EQ(Key(config, head), "CN=root");
  config.listeners.front().tls.emplace().subject_header = "X-Subject";
  EXPECT_EQ(Key(config, head), "me");
  config.listeners.front().tls->subject_header.clear();
  config.listeners.front().tls->fingerprint_header = "X-SUBJECT";
  Matched matched = *MatchRoute(config, head);
  matched.added_headers = {{"X-Subject", "CN=ann"}};
  EXPECT_TRUE(SessionKey(config, matched, head, "").ends_with("CN=ann"));
  matched.added_headers.push_back({"X-User", "ann"});
  EXPECT_TRUE(SessionKey(config, matched, head, "").ends_with('\0' + std::string("ann")));
}

TEST(SessionKeyTest, RoutesToOneUpstreamShareAFenceAndUpstreamsDoNot) {
  const Config config = Routes(R"yaml(
  - {name: a, match: {path: "/a/{id}"}, upstream: one, session: {key: "{path.id}"}}
  - {name: b, match: {path: /b}, upstream: one, session: {key: user}}
  - {name: c, match: {path: /c}, upstream: two, session: {key: user}}
)yaml");
  const auto key = [&](const std::string& target) {
    const RequestHead head = Get(target);
    return SessionKey(config, *MatchRoute(config, head), head, "");
  };
  EXPECT_EQ(key("/a/user"), std::string("one\0user", 8));
  EXPECT_EQ(key("/b"), key("/a/user"));
  EXPECT_EQ(key("/c"), std::string("two\0user", 8));
}

}  // namespace
}  // namespace connguard
