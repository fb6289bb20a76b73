// Sound configurations: defaults, variables, profiles, files, the flags' own configuration.
#include <gtest/gtest.h>

#include <filesystem>

#include "cases.h"
#include "config/file_text.h"
#include "config/profiles.h"
#include "dump.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;

// With further lines at the end, or in the place of others.
LoadResult Load(const std::map<int, std::string>& lines,
                const std::vector<std::string>& profile_dirs = {}) {
  return LoadConfigText(TextOf({"", lines, ""}), "x.yaml", TestEnvironment(), profile_dirs);
}

class LoadTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) const {
    return folder_.Write(name, text);
  }

  const Folder folder_;
  const std::filesystem::path& dir_ = folder_.path();
};

TEST_F(LoadTest, WhatIsLeftOutHasTheDefaultOfTheDesign) {
  const LoadResult result = Load({});
  ASSERT_TRUE(result.config) << Complaints(result);
  EXPECT_EQ(Dump(*result.config),
            "listener public 127.0.0.1:8080 proxy 0 trusts\n"
            "upstream agent http://127.0.0.1:1865 <127.0.0.1> 1865 <> 3000 30000 300000"
            " keepalive 60000 64 forwarded 0 via 0 traceparent 1\n"
            "route chat upstream 0\n host \n segment 0 <ws>\n segment 1 <id>\n"
            " conflict 0 drop 0 wait 60000 settle 100 close 5000 barrier (none)\n"
            " turn <quiet> end 2 quiet 2000 max 300000 window 0 linger 50 json 0 at <>\n"
            " compression 0\n heartbeat 20000 10000\n heartbeat 20000 10000 forward 0\n"
            "limits 10000 per ip 0 0 10000 32768 16777216 262144 10000 75000 60000 0 536870912\n"
            "shutdown 0 30000\n"
            "admin 127.0.0.1:9180 token <> keys 0\n"
            "logging 1 0 target 0\n"
            "readable keys 0\n"
            "workers 0\n");
}

TEST_F(LoadTest, EveryKeyReachesItsField) {
  const LoadResult result = Load(
      {{1, "version: '1'"},
       {4,
        "    bind: \"[::1]:0\"\n"
        "    trusted_proxies: [10.0.0.0/8, fd00::/8, \"::ffff:192.0.2.7\"]"},
       {7,
        "    url: unix:/run/a.sock\n    connect_timeout: 1s\n    handshake_timeout: 2s\n"
        "    response_timeout: 3s\n    keepalive: {idle: 4s, connections: 5}\n"
        "    forwarded: true\n    via: true\n    traceparent: false"},
       {10, "    match: {path: \"/a/{b}/**\", host: X.Example, header: {X-T: \"1\", X-U: \"\"}}"},
       {12,
        "    session: {key: [\"u-{path.b}\", \"{query.q}{header.h}{cookie.c}{client.ip}\"],"
        " on_conflict: share, on_drop: close, wait: 3s, settle: 0, close_timeout: 4s,"
        " barrier: {path: /up}, methods: [POST, M-SEARCH]}"},
       {13,
        "    turn: {end: {json: /t, in: [x, y]}, quiet: 5s, max: 6s, linger: 7ms, window: 8,"
        " accept: json-object}"},
       {14,
        "    compression: off\n"
        "    heartbeat: {client: {interval: 0, timeout: 9s}, upstream: {interval: 10s},"
        " forward: true}\n"
        "    close_codes: {upstream_lost: 1012, client_protocol: 3000}"},
       {15,
        "limits: {connections: 11, connections_per_ip: 4, handshakes_per_second_per_ip: 5,"
        " handshake_timeout: 12s, header_size: 13KiB,"
        " message_size: 14MiB, buffer: 15MiB, slow_client_timeout: 16s,"
        " keepalive_timeout: 17s, body_timeout: 18s, body_size: 19GiB, buffer_total: 20GiB}"},
       {16, "shutdown: {delay: 17s, drain: 18m}"},
       {17, "admin: {bind: unix:/run/admin.sock, token: 0123456789abcdef, show_keys: true}"},
       {18, "logging: {level: warn, format: text, target: full}\nreadable_keys: true"},
       {19, "workers: 19"}});
  ASSERT_TRUE(result.config) << Complaints(result);
  EXPECT_EQ(Dump(*result.config),
            "listener public [::1]:0 proxy 0 trusts 10.0.0.0/8 fd00::/8 192.0.2.7/32\n"
            "upstream agent unix:/run/a.sock <> 0 </run/a.sock> 1000 2000 3000 keepalive 4000 5 "
            "forwarded 1 via 1 traceparent 0\n"
            "route chat upstream 0\n host x.example\n"
            " segment 0 <a>\n segment 1 <b>\n segment 2 <>\n"
            " header <X-T> <1>\n header <X-U> <>\n"
            " key 0 <u-> 1 <b>\n key 2 <q> 3 <h> 4 <c> 5 <>\n"
            " conflict 2 drop 1 wait 3000 settle 0 close 4000 barrier /up\n"
            " method <POST>\n method <M-SEARCH>\n"
            " turn <> end 0 quiet 5000 max 6000 window 8 linger 7 json 1 at </t> <x> <y>\n"
            " compression 1\n heartbeat 0 9000\n heartbeat 10000 10000 forward 1\n"
            " close client_protocol 3000\n close upstream_lost 1012\n"
            "limits 11 per ip 4 5 12000 13312 14680064 15728640 16000 17000 18000 20401094656 "
            "21474836480\n"
            "shutdown 17000 1080000\n"
            "admin unix:/run/admin.sock token <0123456789abcdef> keys 1\n"
            "logging 2 1 target 2\n"
            "readable keys 1\n"
            "workers 19\n");
}

TEST_F(LoadTest, VariablesAreReplacedInValues) {
  const LoadResult result = Load({{4, "    bind: 127.0.0.1:${PORT}"},
                                  {7, "    url: http://${NO_HOST:-b.example}:${EMPTY:-81}/"},
                                  {12, "    session: {key: \"$$a${DOLLAR}$b${EMPTY}\"}"},
                                  {13, "workers: ${NO_WORKERS:-auto}"}});
  ASSERT_TRUE(result.config) << Complaints(result);
  EXPECT_EQ(result.config->listeners[0].bind.port, 9999);
  EXPECT_EQ(result.config->upstreams[0].address.host, "b.example");
  EXPECT_EQ(result.config->upstreams[0].address.port, 81);
  EXPECT_EQ(result.config->routes[0].session.key[0][0].name, "$aa$$b$b");
}

TEST_F(LoadTest, AnAliasStandsForAWholeValue) {
  const LoadResult result =
      Load({{12, "    heartbeat: {client: &h {interval: 7s}, upstream: *h}"}});
  ASSERT_TRUE(result.config) << Complaints(result);
  EXPECT_EQ(result.config->routes[0].upstream_heartbeat.interval, 7s);
}

TEST_F(LoadTest, AnAliasOfNothingIsReported) {
  // yaml-cpp 0.8 goes on with the alias's name.
  EXPECT_TRUE(Complaints(Load({{12, "workers: *nowhere"}}))
                  .starts_with("12:10: not YAML: the referenced anchor is not defined"));
}

TEST_F(LoadTest, AMistakeInAnAliasedValueIsReportedWhereTheValueStands) {
  const LoadResult result = Load({{12, "    heartbeat:"},
                                  {13, "      client: &h {intervall: 7s}"},
                                  {14, "      upstream: *h"}});
  EXPECT_EQ(Complaints(result),
            "13:19: heartbeat.client: unknown key 'intervall'; did you mean 'interval'?\n"
            "13:19: heartbeat.upstream: unknown key 'intervall'; did you mean 'interval'?");
}

TEST_F(LoadTest, AdminCanBeSwitchedOff) {
  for (const char* word : {"off", "false"}) {
    const LoadResult result = Load({{12, std::string("admin: ") + word}});
    ASSERT_TRUE(result.config) << Complaints(result);
    EXPECT_FALSE(result.config->admin);
  }
}

TEST_F(LoadTest, TheAdminTokenMayStandInAFileBesideTheConfiguration) {
  Write("secrets/token", "0123456789abcdef-of-the-file\n");
  const std::string file = Write(
      "c.yaml", TextOf({"", {{12, "admin: {bind: 0.0.0.0:1, token_file: secrets/token}"}}, ""}));
  const LoadResult result = LoadConfigFile(file, TestEnvironment(), {});
  ASSERT_TRUE(result.config) << Complaints(result);
  EXPECT_EQ(result.config->admin.value().token, "0123456789abcdef-of-the-file");
}

TEST_F(LoadTest, AWrongAdminTokenIsNotRepeatedInTheMessage) {
  Write("token", "not a token that could be");
  const std::string file =
      Write("c.yaml", TextOf({"", {{12, "admin: {bind: 0.0.0.0:1, token_file: token}"}}, ""}));
  const std::string complaints = Complaints(LoadConfigFile(file, TestEnvironment(), {}));
  EXPECT_TRUE(complaints.starts_with("12:38: admin.token_file: a token is 16 to 512"))
      << complaints;
  EXPECT_EQ(complaints.find("could"), std::string::npos);
}

TEST_F(LoadTest, AdminNeedsNoTokenWhereOnlyThisMachineReachesIt) {
  for (const char* bind : {"127.0.0.1:1", "127.8.9.1:1", "'[::1]:1'", "localhost:1", "unix:/a",
                           "'[::ffff:127.0.0.1]:1'"}) {
    const LoadResult result = Load({{12, std::string("admin: {bind: ") + bind + "}"}});
    EXPECT_TRUE(result.config) << bind << Complaints(result);
  }
  for (const char* bind : {"10.0.0.1:1", "'[::]:1'", "'[fe80::1]:1'", "localhost.example:1"}) {
    EXPECT_FALSE(Load({{12, std::string("admin: {bind: ") + bind + "}"}}).config) << bind;
  }
}

TEST_F(LoadTest, ListenersOnAnyPortDoNotClash) {
  EXPECT_TRUE(Load({{3, "  - {name: a, bind: 127.0.0.1:0}"},
                    {4, "  - {name: b, bind: 127.0.0.1:0}"},
                    {12, "admin: {bind: 127.0.0.1:0}"}})
                  .config);
}

TEST_F(LoadTest, NarrowerRoutesMayStandBeforeWiderOnes) {
  const LoadResult result =
      Load({{12, "  - {name: b, match: {path: \"/ws/{id}\", host: a}, upstream: agent}"},
            {10, "    match: {path: \"/ws/{id}\", host: a, header: {x: \"1\"}}"},
            {13, "  - {name: c, match: {path: /ws/}, upstream: agent}"},
            {14, "  - {name: d, match: {path: /ws/**}, upstream: agent}"},
            {15, "  - {name: e, match: {path: /**}, upstream: agent}"}});
  EXPECT_TRUE(result.config) << Complaints(result);
}

TEST_F(LoadTest, CarriageReturnsAndAByteOrderMarkDoNotMovePlaces) {
  const LoadResult result = LoadConfigText("\xEF\xBB\xBFversion: 1\r\nlisteners: ${NONE}\r\n",
                                           "x.yaml", TestEnvironment(), {});
  EXPECT_EQ(Complaints(result),
            "1:1: 'upstreams' is missing\n1:1: 'routes' is missing\n"
            "2:12: listeners: expected a list, found '${NONE}'");
}

TEST_F(LoadTest, NothingAtAllIsAnError) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "~"}) {
    const LoadResult result = LoadConfigText(text, "x.yaml", TestEnvironment(), {});
    EXPECT_EQ(Complaints(result), "1:1: nothing is configured here") << text;
  }
}

TEST_F(LoadTest, AnEmptyQuietFollowsFromTheEnd) {
  const auto turn = [](const std::string& keys) {
    return Load({{12, "    turn: {" + keys + "}"}}).config.value().routes[0].turn;
  };
  EXPECT_EQ(turn("end: quiet").policy.quiet, 2s);
  EXPECT_EQ(turn("max: 1m").policy.quiet, 2s);
  EXPECT_EQ(turn("max: 1m").policy.end, TurnEnd::kQuiet);
  EXPECT_EQ(turn("end: each-answer").policy.quiet, 0s);
  EXPECT_EQ(turn("end: {json: /a, in: [b]}").policy.quiet, 0s);
}

TEST_F(LoadTest, KeysBesideAProfileGoBeforeTheProfiles) {
  const LoadResult result = Load({{12, "    turn: {profile: cheshire-cat, max: 20m, window: 3}"}});
  ASSERT_TRUE(result.config) << Complaints(result);
  const TurnProfile& turn = result.config->routes[0].turn;
  EXPECT_EQ(turn.name, "cheshire-cat");
  EXPECT_EQ(turn.policy.max, 20min);
  EXPECT_EQ(turn.policy.window, 3U);
  EXPECT_EQ(turn.end_pointer, "/type");
}

TEST_F(LoadTest, AnotherEndBesideAProfileLeavesNothingOfTheProfiles) {
  const LoadResult result = Load({{12, "    turn: {profile: cheshire-cat, end: quiet}"}});
  ASSERT_TRUE(result.config) << Complaints(result);
  const TurnProfile& turn = result.config->routes[0].turn;
  EXPECT_EQ(turn.policy.quiet, 2s);
  EXPECT_TRUE(turn.end_pointer.empty());
  EXPECT_TRUE(turn.end_values.empty());
}

TEST_F(LoadTest, TheBuiltInProfilesAreTheOnesOfTheIssue) {
  const auto turn = [](const std::string& name) {
    return Load({{12, "    turn: {profile: " + name + "}"}}).config.value().routes[0].turn;
  };
  const TurnProfile cat = turn("cheshire-cat");
  EXPECT_EQ(cat.policy.end, TurnEnd::kMatch);
  EXPECT_EQ(cat.end_pointer, "/type");
  EXPECT_EQ(cat.end_values, (std::vector<std::string>{"chat", "error"}));
  EXPECT_EQ(cat.policy.quiet, 0ms);
  EXPECT_EQ(cat.policy.max, 5min);
  EXPECT_EQ(cat.policy.window, 1U);
  EXPECT_EQ(cat.linger, 50ms);
  EXPECT_TRUE(cat.accept_json_object);
  EXPECT_EQ(turn("request-reply").policy.end, TurnEnd::kEachAnswer);
  EXPECT_EQ(turn("quiet").policy.end, TurnEnd::kQuiet);
}

TEST_F(LoadTest, EveryFileOfConfProfilesIsBuiltInAsItStands) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CONNGUARD_CONF "/profiles")) {
    const auto found = FindProfile(entry.path().stem(), {});
    ASSERT_TRUE(found && *found) << entry.path();
    EXPECT_EQ(found->value->text, *ReadFileText(entry.path()).value);
    ++files;
  }
  EXPECT_EQ(files, BuiltinProfiles().size());
}

TEST_F(LoadTest, AProfileBesideTheConfigurationGoesBeforeTheBuiltInOne) {
  Write("profiles/quiet.yaml", "description: mine\nend: quiet\nquiet: 9s\n");
  Write("profiles/own.yaml", "end: each-answer\n");
  const std::string file = Write("c.yaml", TextOf({"", {{12, "    turn: {profile: own}"}}, ""}));
  const LoadResult own = LoadConfigFile(file, TestEnvironment(), {});
  ASSERT_TRUE(own.config) << Complaints(own);
  EXPECT_EQ(own.config->routes[0].turn.name, "own");
  EXPECT_EQ(own.config->routes[0].turn.policy.end, TurnEnd::kEachAnswer);

  const LoadResult by_default = LoadConfigFile(Write("d.yaml", TextOf({})), TestEnvironment(), {});
  ASSERT_TRUE(by_default.config) << Complaints(by_default);
  EXPECT_EQ(by_default.config->routes[0].turn.policy.quiet, 9s);
}

TEST_F(LoadTest, AMistakeInAProfileIsReportedOnceInItsFile) {
  const std::string profile = Write("profiles/own.yaml", "end: quiet\nname: x\nmax: 5\n");
  const std::string file =
      Write("c.yaml", TextOf({"",
                              {{12, "    turn: {profile: own}"},
                               {13, "  - {name: b, match: {path: /b}, upstream: agent,"},
                               {14, "     turn: {profile: own}}"},
                               {15, "workers: 0"}},
                              ""}));
  const LoadResult result = LoadConfigFile(file, TestEnvironment(), {});
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) text += diagnostic.ToString() + "\n";
  EXPECT_EQ(text, file + ":15:10: error: workers: expected auto or 1 to 64, found '0'\n" + profile +
                      ":2:1: error: profile: unknown key 'name'\n" + profile +
                      ":3:6: error: profile.max: '5' has no unit; use ms, s, m or h\n");
}

TEST_F(LoadTest, AProfileThatCannotBeReadIsReportedWhereItIsNamed) {
  std::filesystem::create_directories(dir_ / "profiles" / "own.yaml");
  const std::string file = Write("c.yaml", TextOf({"", {{12, "    turn: {profile: own}"}}, ""}));
  const LoadResult result = LoadConfigFile(file, TestEnvironment(), {});
  EXPECT_EQ(Complaints(result), "12:21: turn.profile: '" + (dir_ / "profiles/own.yaml").string() +
                                    "' cannot be read: Is a directory");
}

TEST_F(LoadTest, AFileThatCannotBeReadSaysWhy) {
  EXPECT_EQ(
      LoadConfigFile("/nonexistent/x.yaml", TestEnvironment(), {}).diagnostics.at(0).ToString(),
      "/nonexistent/x.yaml: error: cannot be read: No such file or directory");
  EXPECT_EQ(LoadConfigFile(dir_, TestEnvironment(), {}).diagnostics.at(0).ToString(),
            dir_.string() + ": error: cannot be read: Is a directory");
}

TEST_F(LoadTest, MoreThanOneMebibyteIsAnError) {
  std::string text = TextOf({});
  text += "#" + std::string(kLargestConfig - text.size() - 1, 'x');
  EXPECT_TRUE(LoadConfigFile(Write("fits.yaml", text), TestEnvironment(), {}).config);
  const std::string file = Write("large.yaml", text + "x");
  EXPECT_EQ(LoadConfigFile(file, TestEnvironment(), {}).diagnostics.at(0).ToString(),
            file + ": error: is larger than 1MiB");
}

TEST_F(LoadTest, TheProcessEnvironmentKnowsSetFromUnset) {
  setenv("CONNGUARD_TEST_EMPTY", "", 1);
  EXPECT_EQ(ProcessEnvironment()("CONNGUARD_TEST_EMPTY"), "");
  EXPECT_EQ(ProcessEnvironment()("CONNGUARD_TEST_NONE"), std::nullopt);
}

TEST_F(LoadTest, QuickConfigFencesWhatFollowsWs) {
  const LoadResult result = QuickConfig("127.0.0.1:0", "localhost:1865");
  ASSERT_TRUE(result.config) << Complaints(result);
  EXPECT_EQ(Dump(*result.config),
            "listener public 127.0.0.1:0 proxy 0 trusts\n"
            "upstream upstream http://localhost:1865 <localhost> 1865 <> 3000 30000 300000"
            " keepalive 60000 64 forwarded 0 via 0 traceparent 1\n"
            "route ws upstream 0\n host \n segment 0 <ws>\n segment 1 <user_id>\n"
            " key 1 <user_id>\n"
            " conflict 0 drop 0 wait 60000 settle 100 close 5000 barrier (none)\n"
            " turn <quiet> end 2 quiet 2000 max 300000 window 0 linger 50 json 0 at <>\n"
            " compression 0\n heartbeat 20000 10000\n heartbeat 20000 10000 forward 0\n"
            "route rest upstream 0\n host \n segment 2 <>\n"
            " conflict 0 drop 0 wait 60000 settle 100 close 5000 barrier (none)\n"
            " turn <quiet> end 2 quiet 2000 max 300000 window 0 linger 50 json 0 at <>\n"
            " compression 0\n heartbeat 20000 10000\n heartbeat 20000 10000 forward 0\n"
            "limits 10000 per ip 0 0 10000 32768 16777216 262144 10000 75000 60000 0 536870912\n"
            "shutdown 0 30000\nadmin 127.0.0.1:9180 token <> keys 0\nlogging 1 0 target 0\n"
            "readable keys 0\nworkers 0\n");
}

TEST_F(LoadTest, QuickConfigTakesUrlsAsTheFileDoes) {
  EXPECT_EQ(QuickConfig("[::]:1", "http://a").config->upstreams[0].address.port, 80);
  EXPECT_EQ(QuickConfig("[::]:1", "unix:/a").config->upstreams[0].address.path, "/a");
  EXPECT_FALSE(QuickConfig("[::]:1", "http://a").config->upstreams[0].tls);
  EXPECT_EQ(QuickConfig("[::]:1", "https://a").config->upstreams[0].address.port, 443);
  EXPECT_TRUE(QuickConfig("[::]:1", "https://a").config->upstreams[0].tls);
  const LoadResult result = QuickConfig("80", "ftp://a");
  EXPECT_EQ(result.diagnostics.at(0).ToString(),
            "--listen: error: expected host:port, [v6]:port or unix:/path, found '80'");
  EXPECT_EQ(result.diagnostics.at(1).ToString(),
            "--upstream: error: expected http://host:port, https://host:port or unix:/path, found "
            "'ftp://a'");
}

}  // namespace
}  // namespace connguard
