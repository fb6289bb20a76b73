// Command lines and what they come to: a command, or a status and a message.
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace connguard {
namespace {

using Command = CommandLine::Command;

struct Outcome {
  std::variant<CommandLine, ExitStatus> result = ExitStatus::kOk;
  std::string out;
  std::string err;

  // A test that calls this expects a command.
  const CommandLine& line() const { return std::get<CommandLine>(result); }
  std::optional<ExitStatus> status() const {
    const auto* status = std::get_if<ExitStatus>(&result);
    return status == nullptr ? std::nullopt : std::optional(*status);
  }
};

Outcome Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "connguard");
  std::ostringstream out;
  std::ostringstream err;
  Outcome outcome;
  outcome.result = ParseCommandLine(static_cast<int>(words.size()), words.data(), out, err);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

TEST(CommandLineTest, RunIsTheDefaultCommand) {
  for (const auto& words : {std::vector<const char*>{"-c", "x.yaml"},
                            {"run", "-c", "x.yaml"},
                            {"--config", "x.yaml"},
                            {"run", "--config=x.yaml"},
                            {"-c", "x.yaml", "run"}}) {
    const Outcome outcome = Parse(words);
    ASSERT_FALSE(outcome.status()) << outcome.err;
    EXPECT_EQ(outcome.line().command, Command::kRun);
    EXPECT_EQ(outcome.line().config_file, "x.yaml");
    EXPECT_FALSE(outcome.line().admin);
    EXPECT_FALSE(outcome.line().workers);
    EXPECT_FALSE(outcome.line().log_level);
    EXPECT_FALSE(outcome.line().log_format);
  }
}

TEST(CommandLineTest, FlagsReachTheirFieldsBeforeAndBehindRun) {
  for (const bool named : {false, true}) {
    std::vector<const char*> words{"--listen",    "127.0.0.1:1", "--upstream",   "http://a:2",
                                   "--workers",   "3",           "--admin",      "unix:/a",
                                   "--log-level", "warn",        "--log-format", "text"};
    if (named) words.insert(words.begin(), "run");
    const Outcome outcome = Parse(words);
    ASSERT_FALSE(outcome.status()) << outcome.err;
    const CommandLine& line = outcome.line();
    EXPECT_EQ(line.listen, "127.0.0.1:1");
    EXPECT_EQ(line.upstream, "http://a:2");
    EXPECT_EQ(line.workers, 3U);
    EXPECT_EQ(line.admin.value().bind.value().path, "/a");
    EXPECT_EQ(line.log_level, LogLevel::kWarn);
    EXPECT_EQ(line.log_format, LogFormat::kText);
  }
}

TEST(CommandLineTest, RunMayListenBesideAnOlderGuard) {
  for (const auto& words :
       {std::vector<const char*>{"-c", "x", "--handover"}, {"run", "--handover", "-c", "x"}}) {
    const Outcome outcome = Parse(words);
    ASSERT_FALSE(outcome.status()) << outcome.err;
    EXPECT_TRUE(outcome.line().handover);
  }
  EXPECT_FALSE(Parse({"-c", "x"}).line().handover);
}

TEST(CommandLineTest, DrainAsksTheDefaultAdminEndpointAndMayWait) {
  const Outcome plain = Parse({"drain"});
  ASSERT_FALSE(plain.status()) << plain.err;
  EXPECT_EQ(plain.line().command, Command::kDrain);
  EXPECT_EQ(plain.line().admin.value().bind.value().ToString(), "127.0.0.1:9180");
  EXPECT_FALSE(plain.line().wait);
  EXPECT_EQ(plain.line().token_file, "");
  const Outcome given =
      Parse({"drain", "--wait", "--admin", "unix:/run/a.sock", "--token-file", "/dev/null"});
  ASSERT_FALSE(given.status()) << given.err;
  EXPECT_EQ(given.line().admin.value().bind.value().path, "/run/a.sock");
  EXPECT_TRUE(given.line().wait);
  EXPECT_EQ(given.line().token_file, "/dev/null");
}

TEST(CommandLineTest, AdminCanBeSwitchedOff) {
  const Outcome outcome = Parse({"-c", "x", "--admin", "off"});
  ASSERT_FALSE(outcome.status()) << outcome.err;
  ASSERT_TRUE(outcome.line().admin);
  EXPECT_FALSE(outcome.line().admin->bind);
}

TEST(CommandLineTest, MetricsTakesNothing) {
  const Outcome outcome = Parse({"metrics"});
  ASSERT_FALSE(outcome.status()) << outcome.err;
  EXPECT_EQ(outcome.line().command, Command::kMetrics);
  EXPECT_EQ(Parse({"metrics", "-c", "x"}).status(), ExitStatus::kUsage);
  EXPECT_EQ(Parse({"-c", "x", "metrics"}).status(), ExitStatus::kUsage);
}

TEST(CommandLineTest, TheManualTakesAPageOrAShell) {
  EXPECT_EQ(Parse({"reference"}).line().command, Command::kReference);
  const Outcome man = Parse({"man"});
  ASSERT_FALSE(man.status()) << man.err;
  EXPECT_EQ(man.line().command, Command::kMan);
  EXPECT_EQ(man.line().page, "connguard");
  EXPECT_EQ(Parse({"man", "connguard.yaml"}).line().page, "connguard.yaml");
  const Outcome completion = Parse({"completion", "zsh"});
  ASSERT_FALSE(completion.status()) << completion.err;
  EXPECT_EQ(completion.line().command, Command::kCompletion);
  EXPECT_EQ(completion.line().shell, "zsh");
}

TEST(CommandLineTest, CheckHasTwoSpellings) {
  for (const auto& words : {std::vector<const char*>{"check", "-c", "x"},
                            {"--validate", "-c", "x"},
                            {"-c", "x", "--validate"}}) {
    const Outcome outcome = Parse(words);
    ASSERT_FALSE(outcome.status()) << outcome.err;
    EXPECT_EQ(outcome.line().command, Command::kCheck);
    EXPECT_EQ(outcome.line().config_file, "x");
  }
}

TEST(CommandLineTest, PrintConfigTakesWhatRunTakes) {
  const Outcome file = Parse({"print-config", "-c", "x", "--workers", "2"});
  ASSERT_FALSE(file.status()) << file.err;
  EXPECT_EQ(file.line().command, Command::kPrintConfig);
  EXPECT_EQ(file.line().workers, 2U);
  EXPECT_FALSE(Parse({"print-config", "--listen", "a:1", "--upstream", "b:2"}).status());
}

TEST(CommandLineTest, DemoHasAddressesOfItsOwn) {
  const Outcome plain = Parse({"demo"});
  ASSERT_FALSE(plain.status()) << plain.err;
  EXPECT_EQ(plain.line().command, Command::kDemo);
  EXPECT_EQ(plain.line().listen, kDefaultDemoListen);
  EXPECT_EQ(plain.line().agent_listen, kDefaultDemoAgentListen);
  const Outcome given = Parse({"demo", "--listen", "[::1]:1", "--agent-listen", "127.0.0.1:0"});
  ASSERT_FALSE(given.status()) << given.err;
  EXPECT_EQ(given.line().listen, "[::1]:1");
  EXPECT_EQ(given.line().agent_listen, "127.0.0.1:0");
}

TEST(CommandLineTest, HealthAsksTheDefaultAdminEndpoint) {
  const Outcome plain = Parse({"health"});
  ASSERT_FALSE(plain.status()) << plain.err;
  EXPECT_EQ(plain.line().command, Command::kHealth);
  EXPECT_EQ(plain.line().admin.value().bind.value().ToString(), "127.0.0.1:9180");
  EXPECT_EQ(Parse({"health", "--admin", "unix:/x"}).line().admin->bind->ToString(), "unix:/x");
}

TEST(CommandLineTest, VersionAndHelpEndWell) {
  const Outcome version = Parse({"--version"});
  EXPECT_EQ(version.status(), ExitStatus::kOk);
  EXPECT_EQ(version.out, "connguard " CONNGUARD_VERSION "\n");
  EXPECT_EQ(version.err, "");
  const Outcome help = Parse({"--help"});
  EXPECT_EQ(help.status(), ExitStatus::kOk);
  EXPECT_NE(help.out.find("print-config"), std::string::npos);
  EXPECT_EQ(Parse({"check", "--help"}).status(), ExitStatus::kOk);
}

struct Misuse {
  std::vector<const char*> words;
  std::string message;  // is part of what stands on stderr
};

TEST(CommandLineTest, MisuseIsStatus64AndSaysWhy) {
  const std::string neither =
      "either -c FILE or both --listen ADDR and --upstream URL are required";
  const std::string both = "-c goes with neither --listen nor --upstream";
  const std::vector<Misuse> cases{
      {{}, neither},
      {{"run"}, neither},
      {{"--listen", "a:1"}, neither},
      {{"--upstream", "a:1"}, neither},
      {{"-c", "x", "--listen", "a:1"}, both},
      {{"-c", "x", "--listen", "a:1", "--upstream", "a:1"}, both},
      {{"print-config"}, neither},
      {{"check"}, "check needs -c FILE"},
      {{"--validate"}, "--validate needs -c FILE"},
      {{"--validate", "-c", "x", "--listen", "a:1"}, both},
      {{"-c"}, "--config"},
      {{"--nonsense"}, "--nonsense"},
      {{"nonsense"}, "nonsense"},
      {{"check", "-c", "x", "--workers", "2"}, "--workers"},
      {{"health", "-c", "x"}, "-c"},
      {{"-c", "x", "health"}, "this command takes its own options only"},
      {{"--validate", "demo"}, "this command takes its own options only"},
      {{"demo", "--upstream", "a:1"}, "--upstream"},
      {{"check", "-c", "x", "demo"}, "demo"},
      {{"-c", "x", "--workers", "0"}, "--workers"},
      {{"-c", "x", "--workers", "65"}, "--workers"},
      {{"-c", "x", "--workers", "-1"}, "--workers"},
      {{"-c", "x", "--admin", "9180"}, "expected host:port"},
      {{"-c", "x", "--log-level", "loud"},
       "expected debug, info, warn, error or off, found 'loud'"},
      {{"-c", "x", "--log-format", "xml"}, "expected json, logfmt or text, found 'xml'"},
      {{"health", "--admin", "off"}, "expected host:port"},
      {{"demo", "--listen", "1"}, "expected host:port"},
      {{"drain", "--admin", "off"}, "expected host:port"},
      {{"drain", "--token-file", "/nonexistent/token"}, "/nonexistent/token"},
      {{"drain", "-c", "x"}, "-c"},
      {{"completion"}, "shell is required"},
      {{"completion", "sh"}, "expected bash, zsh or fish, found 'sh'"},
      {{"man", "cat"}, "expected connguard or connguard.yaml, found 'cat'"},
      {{"-c", "x", "man"}, "this command takes its own options only"},
      {{"-c", "x", "reference"}, "this command takes its own options only"},
      {{"-c", "x", "drain"}, "this command takes its own options only"},
      {{"--handover", "health"}, "this command takes its own options only"},
      {{"--handover", "--validate", "-c", "x"}, "--handover is for run"},
      {{"check", "--handover", "-c", "x"}, "--handover"},
  };
  for (const Misuse& misuse : cases) {
    const Outcome outcome = Parse(misuse.words);
    EXPECT_EQ(outcome.status(), ExitStatus::kUsage) << misuse.message;
    EXPECT_NE(outcome.err.find(misuse.message), std::string::npos)
        << misuse.message << " is not in:\n"
        << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CommandLineTest, StatusesAreTheOnesOfTheDesign) {
  EXPECT_EQ(static_cast<int>(ExitStatus::kOk), 0);
  EXPECT_EQ(static_cast<int>(ExitStatus::kRuntime), 1);
  EXPECT_EQ(static_cast<int>(ExitStatus::kUsage), 64);
  EXPECT_EQ(static_cast<int>(ExitStatus::kConfiguration), 78);
}

}  // namespace
}  // namespace connguard
