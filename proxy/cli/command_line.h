// What the command line asks for. Parsing only: nothing is opened and nothing is run.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

#include "cli/command_model.h"
#include "connguard/config.h"

namespace connguard {

// Of the process (sysexits.h where it has a number).
enum class ExitStatus : int { kOk = 0, kRuntime = 1, kUsage = 64, kConfiguration = 78 };

struct CommandLine {
  enum class Command {
    kRun,
    kCheck,
    kPrintConfig,
    kDemo,
    kHealth,
    kMetrics,
    kDrain,
    kReference,
    kMan,
    kCompletion
  };

  // What --admin says: an address, or `off`.
  struct AdminFlag {
    std::optional<Address> bind;  // none: off
  };

  Command command = Command::kRun;
  std::string config_file;  // run, check, print-config: either this…
  bool watch = false;       // run: reload when the file changes
  bool wait = false;        // drain: until the guard has gone
  std::string token_file;   // drain: for the admin endpoint
  bool handover = false;    // run: listen beside an older guard
  std::string listen;       // …or (run, print-config) these two; demo: --listen alone
  std::string upstream;
  std::string agent_listen;        // demo: where the agent listens
  std::string page = "connguard";  // man: one of kManPages
  std::string shell;               // completion: one of kShells
  std::optional<AdminFlag> admin;  // flags go before the file
  std::optional<unsigned> workers;
  std::optional<LogLevel> log_level;
  std::optional<LogFormat> log_format;
};

inline constexpr const char* kDefaultDemoListen = "127.0.0.1:8080";
inline constexpr const char* kDefaultDemoAgentListen = "127.0.0.1:8081";

// A CommandLine to carry out, or the status to end with: kOk after --help and --version (on `out`),
// kUsage after a message on `err`. Does not throw.
std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv,
                                                       std::ostream& out, std::ostream& err);

// What ParseCommandLine understands.
CommandModel DescribeCommandLine();

}  // namespace connguard
