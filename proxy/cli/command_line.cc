// The grammar, in CLI11's terms. Each command has its own options, so that a flag that means
// nothing to a command is a mistake and not silently ignored.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>

#include "cli/completion.h"
#include "cli/man_page.h"
#include "cli/model_of.h"
#include "config/address.h"

namespace connguard {
namespace {

constexpr const char* kAbout =
    "WebSocket reverse proxy and connection guard for stateful agent backends";
constexpr const char* kSourceHelp = "Configuration file (YAML)";

// What CLI11 fills in; texts, because Parsed's messages are better than CLI11's.
struct Raw {
  CommandLine line;
  bool validate = false;
  std::string admin;
  std::string admin_endpoint = "127.0.0.1:9180";
  unsigned workers = 0;
  std::string level;
  std::string format;
  std::string demo_listen = kDefaultDemoListen;
  std::string demo_agent_listen = kDefaultDemoAgentListen;
};

// CLI11 wants the empty string for a sound value.
std::string AddressProblem(const std::string& text) { return ParseAddress(text, true).error; }

std::string AdminProblem(const std::string& text) {
  return text == "off" ? std::string() : AddressProblem(text);
}

constexpr auto kLevels =
    std::to_array<std::pair<std::string_view, LogLevel>>({{"debug", LogLevel::kDebug},
                                                          {"info", LogLevel::kInfo},
                                                          {"warn", LogLevel::kWarn},
                                                          {"error", LogLevel::kError},
                                                          {"off", LogLevel::kOff}});
constexpr auto kFormats = std::to_array<std::pair<std::string_view, LogFormat>>(
    {{"json", LogFormat::kJson}, {"logfmt", LogFormat::kLogfmt}, {"text", LogFormat::kText}});

// nullopt: no such word.
template <typename T>
std::optional<T> ValueOf(std::string_view text,
                         std::span<const std::pair<std::string_view, T>> words) {
  for (const auto& [word, value] : words) {
    if (word == text) return value;
  }
  return std::nullopt;
}

template <typename Table>
std::vector<std::string> WordsOf(const Table& table) {
  std::vector<std::string> words;
  for (const auto& [word, value] : table) words.emplace_back(word);
  return words;
}

// What values the options of this name in --help can have, for completions.
ValueWords WordsByValue() {
  return {{"LEVEL", WordsOf(kLevels)},
          {"FORMAT", WordsOf(kFormats)},
          {"SHELL", {kShells.begin(), kShells.end()}},
          {"PAGE", {kManPages.begin(), kManPages.end()}}};
}

// Whether `text` is one of those of `value`; the empty string, or why not.
std::string WordProblem(const char* value, const std::string& text) {
  const std::vector<std::string> words = WordsByValue()[value];
  if (std::ranges::find(words, text) != words.end()) return {};
  std::string expected = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    expected += (i + 1 < words.size() ? ", " : " or ") + words[i];
  }
  return "expected " + expected + ", found '" + text + "'";
}

// The value is called `value` in --help, and is one of its words.
void TakesWord(CLI::Option& option, const char* value) {
  option.check([value](const std::string& text) { return WordProblem(value, text); })
      ->type_name(value);
}

std::optional<CommandLine::AdminFlag> ToAdminFlag(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "off") return CommandLine::AdminFlag{};
  return CommandLine::AdminFlag{ParseAddress(text, true).value};
}

void AddServeOptions(CLI::App& app, Raw& raw) {
  app.add_flag("--watch", raw.line.watch, "Reload when the configuration file changes");
  app.add_flag("--handover", raw.line.handover,
               "Listen where an older guard still does, until it is stopped");
}

void AddRunOptions(CLI::App& app, Raw& raw) {
  app.add_option("-c,--config", raw.line.config_file, kSourceHelp)->type_name("FILE");
  app.add_option("--listen", raw.line.listen, "Without a file: where clients connect")
      ->type_name("ADDR");
  app.add_option("--upstream", raw.line.upstream, "Without a file: the backend")->type_name("URL");
  app.add_option("--workers", raw.workers, "Worker threads")
      ->check(CLI::Range(1U, 64U))
      ->type_name("N");
  app.add_option("--admin", raw.admin, "Admin endpoint, or off")
      ->check(AdminProblem)
      ->type_name("ADDR");
  TakesWord(*app.add_option("--log-level", raw.level, "Least severity of a log line"), "LEVEL");
  TakesWord(*app.add_option("--log-format", raw.format, "json, logfmt or text"), "FORMAT");
}

struct Commands {
  CLI::App* run;
  CLI::App* check;
  CLI::App* print_config;
  CLI::App* demo;
  CLI::App* health;
  CLI::App* metrics;
  CLI::App* drain;
  CLI::App* reference;
  CLI::App* man;
  CLI::App* completion;
};

// What the program says of itself.
void AddManualCommands(CLI::App& app, Raw& raw, Commands& commands) {
  commands.metrics = app.add_subcommand("metrics", "Print what each metric means, as Markdown");
  commands.reference = app.add_subcommand(
      "reference", "Print what each key of the configuration means, as Markdown");
  commands.man = app.add_subcommand("man", "Print a page of the manual, for `man -l -`");
  TakesWord(*commands.man->add_option("page", raw.line.page, "connguard or connguard.yaml")
                 ->capture_default_str(),
            "PAGE");
  commands.completion =
      app.add_subcommand("completion", "Print what makes a shell complete command lines");
  TakesWord(
      *commands.completion->add_option("shell", raw.line.shell, "bash, zsh or fish")->required(),
      "SHELL");
}

Commands AddCommands(CLI::App& app, Raw& raw) {
  Commands commands{};
  commands.run = app.add_subcommand("run", "Run the guard (the default)");
  AddRunOptions(*commands.run, raw);
  AddServeOptions(*commands.run, raw);
  commands.check = app.add_subcommand("check", "Check a configuration file");
  commands.check->add_option("-c,--config", raw.line.config_file, kSourceHelp)->type_name("FILE");
  commands.print_config =
      app.add_subcommand("print-config", "Print the configuration in force, as YAML");
  AddRunOptions(*commands.print_config, raw);
  commands.demo = app.add_subcommand("demo", "Run the guard in front of a built-in agent backend");
  commands.demo->add_option("--listen", raw.demo_listen, "Where clients connect")
      ->check(AddressProblem)
      ->type_name("ADDR")
      ->capture_default_str();
  commands.demo->add_option("--agent-listen", raw.demo_agent_listen, "Where the agent listens")
      ->check(AddressProblem)
      ->type_name("ADDR")
      ->capture_default_str();
  commands.health = app.add_subcommand("health", "Ask a running guard whether it is ready");
  commands.health->add_option("--admin", raw.admin_endpoint, "Its admin endpoint")
      ->check(AddressProblem)
      ->type_name("ADDR")
      ->capture_default_str();
  commands.drain = app.add_subcommand("drain", "Stop a running guard between two turns");
  commands.drain->add_option("--admin", raw.admin_endpoint, "Its admin endpoint")
      ->check(AddressProblem)
      ->type_name("ADDR")
      ->capture_default_str();
  commands.drain->add_option("--token-file", raw.line.token_file, "File with its admin.token")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  commands.drain->add_flag("--wait", raw.line.wait, "Until it has gone");
  AddManualCommands(app, raw, commands);
  return commands;
}

CommandLine::Command Chosen(const Commands& commands, bool validate) {
  using Command = CommandLine::Command;
  if (commands.print_config->parsed()) return Command::kPrintConfig;
  if (commands.demo->parsed()) return Command::kDemo;
  if (commands.health->parsed()) return Command::kHealth;
  if (commands.metrics->parsed()) return Command::kMetrics;
  if (commands.drain->parsed()) return Command::kDrain;
  if (commands.reference->parsed()) return Command::kReference;
  if (commands.man->parsed()) return Command::kMan;
  if (commands.completion->parsed()) return Command::kCompletion;
  return commands.check->parsed() || validate ? Command::kCheck : Command::kRun;
}

// What CLI11's own relations between options cannot say.
std::string Problem(const CommandLine& line, bool validate) {
  using Command = CommandLine::Command;
  const bool file = !line.config_file.empty();
  const bool quick = !line.listen.empty() || !line.upstream.empty();
  switch (line.command) {
    case Command::kRun:
    case Command::kPrintConfig:
      if (file && quick) return "-c goes with neither --listen nor --upstream";
      if (!file && line.watch) return "--watch goes with -c FILE";
      if (!file && (line.listen.empty() || line.upstream.empty())) {
        return "either -c FILE or both --listen ADDR and --upstream URL are required";
      }
      return {};
    case Command::kCheck:
      if (!file) return std::string(validate ? "--validate" : "check") + " needs -c FILE";
      if (line.watch) return "--watch is for run";
      if (line.handover) return "--handover is for run";
      return quick ? "-c goes with neither --listen nor --upstream" : std::string();
    case Command::kDemo:
    case Command::kHealth:
    case Command::kMetrics:
    case Command::kDrain:
    case Command::kReference:
    case Command::kMan:
    case Command::kCompletion:
      return file || quick || validate || line.watch || line.handover
                 ? "this command takes its own options only"
                 : std::string();
  }
  return {};
}

void Finish(const Commands& commands, Raw& raw) {
  using Command = CommandLine::Command;
  raw.line.command = Chosen(commands, raw.validate);
  raw.line.admin = ToAdminFlag(raw.admin);
  if (raw.workers > 0) raw.line.workers = raw.workers;
  raw.line.log_level = ValueOf<LogLevel>(raw.level, kLevels);
  raw.line.log_format = ValueOf<LogFormat>(raw.format, kFormats);
  if (raw.line.command == Command::kHealth || raw.line.command == Command::kDrain) {
    raw.line.admin = ToAdminFlag(raw.admin_endpoint);
  }
  if (raw.line.command == Command::kDemo) raw.line.agent_listen = raw.demo_agent_listen;
}

// All of it, with where CLI11 puts what it finds.
struct Grammar {
  Grammar() {
    app.set_version_flag("--version", std::string("connguard ") + CONNGUARD_VERSION);
    app.require_subcommand(0, 1);
    AddRunOptions(app, raw);
    AddServeOptions(app, raw);
    app.add_flag("--validate", raw.validate, "Check the configuration file only (as `check`)");
    commands = AddCommands(app, raw);
  }

  CLI::App app{kAbout, "connguard"};
  Raw raw;
  Commands commands{};
};

}  // namespace

std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv,
                                                       std::ostream& out, std::ostream& err) {
  Grammar grammar;
  Raw& raw = grammar.raw;
  try {
    grammar.app.parse(argc, argv);
    Finish(grammar.commands, raw);
    const std::string problem = Problem(raw.line, raw.validate);
    if (!problem.empty()) throw CLI::ValidationError(problem, CLI::ExitCodes::ValidationError);
  } catch (const CLI::ParseError& error) {
    return grammar.app.exit(error, out, err) == 0 ? ExitStatus::kOk : ExitStatus::kUsage;
  }
  if (raw.line.command == CommandLine::Command::kDemo) raw.line.listen = raw.demo_listen;
  return raw.line;
}

CommandModel DescribeCommandLine() { return ModelOf(Grammar().app, WordsByValue()); }

}  // namespace connguard
