// check and print-config, to the letter.
#include "cli/commands.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/address.h"

namespace connguard {
namespace {

const Environment kNoVariables = [](std::string_view) { return std::nullopt; };

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "connguard-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  ~CommandsTest() override { std::filesystem::remove_all(dir_); }

  CommandLine LineFor(const std::string& text) {
    CommandLine line;
    line.config_file = dir_ / "x.yaml";
    std::ofstream(line.config_file, std::ios::binary) << text;
    return line;
  }

  std::filesystem::path dir_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CommandsTest, CheckCountsWhatIsConfigured) {
  CommandLine line;
  line.config_file = CONNGUARD_CONF "/minimal.yaml";
  EXPECT_EQ(RunCheck(line, kNoVariables, out_, err_), ExitStatus::kOk);
  EXPECT_EQ(out_.str(), line.config_file + ": ok (1 listener, 1 upstream, 2 routes)\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CommandsTest, CheckShowsEachLineWithACaretUnderTheMistake) {
  const CommandLine line = LineFor(
      "version: 1\r\n"
      "listeners: [{name: a, bind: 127.0.0.1:1}]\r\n"
      "upstreams: [{name: a, url: \"http://a:1\"}]\r\n"
      "routes:\r\n"
      "  - {name: a, upstream: a, session: {key: \"\xC3\xA9\xE2\x82\xAC\", settel: 1s}}\r\n"
      "logging: \t{level: loud}\r\n");
  EXPECT_EQ(RunCheck(line, kNoVariables, out_, err_), ExitStatus::kConfiguration);
  const std::string& file = line.config_file;
  EXPECT_EQ(
      err_.str(),
      file +
          ":5:52: error: session: unknown key 'settel'; did you mean 'settle'?\n"
          "    - {name: a, upstream: a, session: {key: \"\xC3\xA9\xE2\x82\xAC\", settel: 1s}}\n"
          "                                                  ^\n" +
          file +
          ":6:19: error: logging.level: expected debug, info, warn, error or off,"
          " found 'loud'\n"
          "  logging: \t{level: loud}\n"
          "           \t        ^\n"
          "2 errors\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(CommandsTest, CheckOfAFileThatIsNotThereShowsNoLine) {
  CommandLine line;
  line.config_file = dir_ / "none.yaml";
  EXPECT_EQ(RunCheck(line, kNoVariables, out_, err_), ExitStatus::kConfiguration);
  EXPECT_EQ(err_.str(),
            line.config_file + ": error: cannot be read: No such file or directory\n1 error\n");
}

TEST_F(CommandsTest, PrintConfigPrintsWhatCheckAccepts) {
  CommandLine line;
  line.config_file = CONNGUARD_CONF "/connguard.yaml";
  EXPECT_EQ(RunPrintConfig(line, kNoVariables, out_, err_), ExitStatus::kOk);
  const CommandLine again = LineFor(out_.str());
  EXPECT_EQ(RunCheck(again, kNoVariables, out_, err_), ExitStatus::kOk) << err_.str();
}

TEST_F(CommandsTest, PrintConfigOfAMistakeIsStatus78) {
  EXPECT_EQ(RunPrintConfig(LineFor("version: 1\n"), kNoVariables, out_, err_),
            ExitStatus::kConfiguration);
  EXPECT_EQ(out_.str(), "");
  EXPECT_NE(err_.str().find("'routes' is missing"), std::string::npos);
}

TEST_F(CommandsTest, FlagsGoBeforeTheFile) {
  CommandLine line;
  line.config_file = CONNGUARD_CONF "/minimal.yaml";
  const Config plain = LoadConfig(line, kNoVariables, err_).value();
  EXPECT_TRUE(plain.admin);
  EXPECT_EQ(plain.workers, 0U);

  line.admin = CommandLine::AdminFlag{};
  line.workers = 7;
  line.log_level = LogLevel::kError;
  line.log_format = LogFormat::kText;
  const Config config = LoadConfig(line, kNoVariables, err_).value();
  EXPECT_FALSE(config.admin);
  EXPECT_EQ(config.workers, 7U);
  EXPECT_EQ(config.logging.level, LogLevel::kError);
  EXPECT_EQ(config.logging.format, LogFormat::kText);
}

TEST_F(CommandsTest, AListenerMayNotTakeTheAdminEndpointsAddress) {
  const std::string why =
      ": error: the listener 'public' takes the admin endpoint's address, 127.0.0.1:9180; set "
      "admin.bind or --admin, or turn it off\n1 error\n";
  CommandLine line;
  line.listen = "0.0.0.0:9180";
  line.upstream = "a:2";
  EXPECT_FALSE(LoadConfig(line, kNoVariables, err_));
  EXPECT_EQ(err_.str(), "--listen" + why);

  CommandLine of_file = LineFor(
      "version: 1\n"
      "listeners: [{name: public, bind: \"[::]:9180\"}]\n"
      "upstreams: [{name: a, url: \"http://a:1\"}]\n"
      "routes: [{name: a, upstream: a}]\n");
  err_.str({});
  EXPECT_EQ(RunCheck(of_file, kNoVariables, out_, err_), ExitStatus::kConfiguration);
  EXPECT_EQ(err_.str(), of_file.config_file + why);

  for (CommandLine* one : {&line, &of_file}) {
    one->admin = CommandLine::AdminFlag{};
    EXPECT_TRUE(LoadConfig(*one, kNoVariables, err_));
    one->admin = CommandLine::AdminFlag{ParseAddress("127.0.0.1:9180", true).value};
    err_.str({});
    EXPECT_FALSE(LoadConfig(*one, kNoVariables, err_));
    EXPECT_EQ(err_.str(), "--admin" + why);
  }
}

TEST_F(CommandsTest, WithoutAFileTheFlagsAreTheConfiguration) {
  CommandLine line;
  line.listen = "127.0.0.1:1";
  line.upstream = "a:2";
  EXPECT_EQ(LoadConfig(line, kNoVariables, err_).value().upstreams[0].url, "http://a:2");
  line.upstream = "wss://a";
  EXPECT_FALSE(LoadConfig(line, kNoVariables, err_));
  EXPECT_EQ(err_.str(),
            "--upstream: error: expected http://host:port, https://host:port or unix:/path, found "
            "'wss://a'\n"
            "1 error\n");
}

}  // namespace
}  // namespace connguard
