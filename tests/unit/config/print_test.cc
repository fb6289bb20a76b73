// What PrintConfig prints loads back to the same configuration, whatever is in it.
#include <gtest/gtest.h>

#include "cases.h"
#include "dump.h"

namespace connguard {
namespace {

const Environment kNoVariables = [](std::string_view) { return std::nullopt; };

void ExpectRoundTrip(const Config& config) {
  const std::string text = PrintConfig(config);
  const LoadResult again = LoadConfigText(text, "printed.yaml", kNoVariables, {});
  ASSERT_TRUE(again.config) << Complaints(again) << "\n" << text;
  EXPECT_EQ(Dump(*again.config), Dump(config)) << text;
  EXPECT_EQ(PrintConfig(*again.config), text);
}

class PrintFileTest : public testing::TestWithParam<const char*> {};

TEST_P(PrintFileTest, LoadsBackToTheSame) {
  const LoadResult result =
      LoadConfigFile(std::string(CONNGUARD_CONF "/") + GetParam(), kNoVariables, {});
  ASSERT_TRUE(result.config) << Complaints(result);
  ExpectRoundTrip(*result.config);
}

INSTANTIATE_TEST_SUITE_P(Conf, PrintFileTest,
                         testing::Values("connguard.yaml", "minimal.yaml", "container.yaml"));

std::string NameOf(const testing::TestParamInfo<BadCase>& param) { return param.param.name; }

class PrintOddTest : public testing::TestWithParam<BadCase> {};

TEST_P(PrintOddTest, LoadsBackToTheSame) {
  const LoadResult result = LoadConfigText(TextOf(GetParam()), "x.yaml", TestEnvironment(), {});
  ASSERT_TRUE(result.config) << Complaints(result);
  ExpectRoundTrip(*result.config);
}

const BadCase kOddCases[] = {
    {"Nothing", {}, ""},
    {"AdminOff", {{12, "admin: off"}}, ""},
    {"AdminShowsKeys", {{12, "admin: {bind: '[::1]:9180', show_keys: true}"}}, ""},
    {"UnixSockets",
     {{4, "    bind: \"unix:/run/a b#c: 'd'.sock\""}, {7, "    url: \"unix:/x\\\"y\\\\z\""}},
     ""},
    {"TrustedProxies",
     {{4,
       "    bind: 127.0.0.1:1\n"
       "    trusted_proxies: ['::', '::/0', 0.0.0.0/0, '::1', 'fd00::/8', '::ffff:10.0.0.0/104']"}},
     ""},
    {"EveryUpstreamWord",
     {{7,
       "    url: http://a:1\n    response_timeout: 24h\n"
       "    keepalive: {idle: 1ms, connections: 0}\n    forwarded: true\n    via: true\n"
       "    traceparent: false"}},
     ""},
    {"NamesLikeYamlWords",
     {{9, "  - name: 'null'"},
      {12, "  - {name: '123', match: {path: /x}, upstream: '-'}"},
      {6, "  - {name: '-', url: http://a:1}\n  - name: agent"}},
     ""},
    {"DollarsEverywhere",
     {{10, "    match: {path: \"/$$/{id}/$$X\", header: {x$y: \"$${SET}\"}}"},
      {12, "    session: {key: \"$$$$SET\"}"}},
     ""},
    {"QuotesAndColons",
     {{12, "    session: {key: [\"a: b #c\", \"'\", \"\\\"\\\\\", \" x \", \"~\", 'é']}"}},
     ""},
    {"NoMatch", {{10, "-"}}, ""},
    {"RootPath", {{10, "    match: {path: /}"}}, ""},
    {"TrailingSlashes", {{10, "    match: {path: //a//}"}}, ""},
    {"HeaderNamesLikeWords",
     {{10, "    match: {header: {'null': \"\", '1': \"\", \"'\": \"~\", '*': 'null'}}"}},
     ""},
    {"HostIsIpv6", {{10, "    match: {host: \"[::1]\"}"}}, ""},
    {"AllSources",
     {{12, "    session: {key: \"{path.id}{query.a b}{header.x}{cookie.y}{client.ip}\"}"}},
     ""},
    {"MethodsLikeWords",
     {{12, "    session: {key: a, methods: [POST, 'NULL', 'A$$B', '~', '-', '#', \"'\"]}"}},
     ""},
    {"NoMethodsAndNoKey", {{12, "    session: {methods: []}"}}, ""},
    {"EveryTurnWord",
     {{12,
       "    turn: {end: {json: /a~1b, in: ['', 'x, y', '$$']}, quiet: 1500ms, window: 1000000}"},
      {13,
       "  - {name: b, match: {path: /b}, upstream: agent, turn: {end: each-answer, linger: 0}}"},
      {14, "  - {name: c, match: {path: /c}, upstream: agent, turn: {profile: request-reply}}"}},
     ""},
    {"EveryOtherWord",
     {{12,
       "    compression: 'off'\n    session: {on_conflict: reject, on_drop: close, wait: 0, "
       "settle: 0,"
       " barrier: {path: \"/?a=$$b&c=:\"}}"},
      {13, "    heartbeat: {client: {interval: 0}}"},
      {14, "logging: {level: 'off', format: text}"},
      {15,
       "limits: {message_size: 1025B, header_size: 1.5KiB, body_size: 1024GiB,"
       " keepalive_timeout: 1ms, body_timeout: 1h}"},
      {16, "shutdown: {delay: 1ms, drain: 24h}"},
      {17, "workers: 64"}},
     ""},
};
INSTANTIATE_TEST_SUITE_P(Odd, PrintOddTest, testing::ValuesIn(kOddCases), NameOf);

TEST(PrintTest, TheAdminTokenIsNotShownAndLoadsOnlyFromTheVariable) {
  Config config = *QuickConfig("127.0.0.1:1", "a:1").config;
  config.admin->token = "a-secret-of-the-operator";
  const std::string text = PrintConfig(config);
  EXPECT_EQ(text.find("a-secret"), std::string::npos) << text;
  EXPECT_EQ(Complaints(LoadConfigText(text, "printed.yaml", kNoVariables, {})).find("variable"),
            std::string("68:10: admin.token: ").size())
      << Complaints(LoadConfigText(text, "printed.yaml", kNoVariables, {}));
  const Environment given = [](std::string_view name) -> std::optional<std::string> {
    if (name == "CONNGUARD_ADMIN_TOKEN") return "a-secret-of-the-operator";
    return std::nullopt;
  };
  const LoadResult again = LoadConfigText(text, "printed.yaml", given, {});
  ASSERT_TRUE(again.config) << Complaints(again);
  EXPECT_EQ(Dump(*again.config), Dump(config));
}

TEST(PrintTest, QuickConfigLoadsBackToTheSame) {
  ExpectRoundTrip(*QuickConfig("[::1]:8080", "http://a/").config);
  ExpectRoundTrip(*QuickConfig("unix:/a$b", "unix:/${HOME}").config);
}

TEST(PrintTest, EveryLogFormatLoadsBackToTheSame) {
  Config config = *QuickConfig("127.0.0.1:1", "a:1").config;
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kLogfmt, LogFormat::kText}) {
    config.logging.format = format;
    ExpectRoundTrip(config);
  }
}

TEST(PrintTest, EveryLogLevelLoadsBackToTheSame) {
  Config config = *QuickConfig("127.0.0.1:1", "a:1").config;
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError, LogLevel::kOff}) {
    config.logging.level = level;
    ExpectRoundTrip(config);
  }
}

}  // namespace
}  // namespace connguard
