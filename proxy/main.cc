// connguard: flags, configuration, run.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <variant>

#include "admin/metrics_page.h"
#include "app/guard.h"
#include "app/hardening.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/man_page.h"
#include "cli/reference_page.h"
#include "demo/run_demo.h"
#include "log/log.h"

namespace connguard {
namespace {

ExitStatus Run(const Config& config, const ConfigSource& source, bool handover) {
  HardenProcess();
  StartLogging(config.logging);
  try {
    RunGuard(config, source, {}, handover);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "failed", {{"why", error.what()}});
    StopLogging();
    return ExitStatus::kRuntime;
  }
  StopLogging();
  return ExitStatus::kOk;
}

ExitStatus Health(const CommandLine& line) {
  const CommandLine::AdminFlag admin =
      line.admin.value_or(CommandLine::AdminFlag{Address{"127.0.0.1", 9180, ""}});
  if (!admin.bind) {
    std::cerr << "connguard: health asks the admin endpoint; it cannot be off\n";
    return ExitStatus::kUsage;
  }
  return RunHealth(*admin.bind, kHealthTimeout, std::cout, std::cerr);
}

ExitStatus Execute(const CommandLine& line) {
  const Environment environment = ProcessEnvironment();
  switch (line.command) {
    case CommandLine::Command::kCheck:
      return RunCheck(line, environment, std::cout, std::cerr);
    case CommandLine::Command::kPrintConfig:
      return RunPrintConfig(line, environment, std::cout, std::cerr);
    case CommandLine::Command::kHealth:
      return Health(line);
    case CommandLine::Command::kDemo:
      return RunDemo(line);
    case CommandLine::Command::kDrain:
      return RunDrain({*line.admin->bind, line.token_file, line.wait}, std::cout, std::cerr);
    case CommandLine::Command::kMetrics:
      std::cout << MetricsReference();
      return ExitStatus::kOk;
    case CommandLine::Command::kReference:
      std::cout << ReferenceAsMarkdown(ConfigurationReference());
      return ExitStatus::kOk;
    case CommandLine::Command::kMan:
      std::cout << ManPage(line.page, DescribeCommandLine(), ConfigurationReference());
      return ExitStatus::kOk;
    case CommandLine::Command::kCompletion:
      std::cout << Completion(line.shell, DescribeCommandLine());
      return ExitStatus::kOk;
    case CommandLine::Command::kRun:
      break;
  }
  const std::optional<Config> config = LoadConfig(line, environment, std::cerr);
  if (!config) return ExitStatus::kConfiguration;
  ConfigSource source;
  if (!line.config_file.empty()) {
    source = {[&] { return ReadConfig(line, environment); }, line.config_file, line.watch};
  }
  return Run(*config, source, line.handover);
}

}  // namespace
}  // namespace connguard

int main(int argc, char** argv) {
  const auto parsed = connguard::ParseCommandLine(argc, argv, std::cout, std::cerr);
  if (const auto* status = std::get_if<connguard::ExitStatus>(&parsed)) {
    return static_cast<int>(*status);
  }
  return static_cast<int>(connguard::Execute(std::get<connguard::CommandLine>(parsed)));
}
