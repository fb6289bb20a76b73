// Diagnostics as a compiler prints them: the message, the line, a caret.
#include "cli/commands.h"

#include <algorithm>
#include <fstream>
#include <ostream>

#include "config/load_listeners.h"

namespace connguard {
namespace {

std::string LineOf(const std::string& file, int number) {
  std::ifstream stream(file);
  std::string line;
  for (int i = 0; i < number; ++i) {
    if (!std::getline(stream, line)) return {};
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// Columns are bytes; a caret must stand under a character. Tabs stay, so that it does for any
// width.
std::string CaretBelow(std::string_view line, std::size_t column) {
  std::string blanks;
  for (const char c : line.substr(0, column - 1)) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues) blanks += c == '\t' ? '\t' : ' ';
  }
  return blanks + '^';
}

std::string Count(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void Print(const std::vector<Diagnostic>& diagnostics, std::ostream& err) {
  for (const Diagnostic& diagnostic : diagnostics) {
    err << diagnostic.ToString() << '\n';
    if (diagnostic.line == 0) continue;
    const std::string line = LineOf(diagnostic.file, diagnostic.line);
    if (line.empty()) continue;
    err << "  " << line << "\n  " << CaretBelow(line, static_cast<std::size_t>(diagnostic.column))
        << '\n';
  }
  err << Count(diagnostics.size(), "error") << '\n';
}

// Why the admin endpoint could not listen: a listener has its port. Empty when all is well. Of the
// file's own `admin.bind` the loader has said so; this is for the default one and for flags.
std::string WhyTaken(const Config& config) {
  if (!config.admin) return {};
  for (const ListenerConfig& listener : config.listeners) {
    if (!Overlap(listener.bind, config.admin->bind)) continue;
    return "the listener '" + listener.name + "' takes the admin endpoint's address, " +
           config.admin->bind.ToString() + "; set admin.bind or --admin, or turn it off";
  }
  return {};
}

}  // namespace

std::string ApplyAdminFlag(const CommandLine::AdminFlag& flag, Config& config) {
  if (!flag.bind) {
    config.admin.reset();
    return {};
  }
  if (!config.admin) config.admin.emplace();
  config.admin->bind = *flag.bind;
  return WhyExposed(*config.admin);
}

LoadResult ReadConfig(const CommandLine& line, const Environment& env) {
  LoadResult result = line.config_file.empty() ? QuickConfig(line.listen, line.upstream)
                                               : LoadConfigFile(line.config_file, env, {});
  if (!result.config) return result;
  Config& config = *result.config;
  if (line.admin) {
    const std::string exposed = ApplyAdminFlag(*line.admin, config);
    if (!exposed.empty()) return {std::nullopt, {{"--admin", 0, 0, exposed}}};
  }
  const std::string taken = WhyTaken(config);
  if (!taken.empty()) {
    const std::string file = line.config_file.empty() ? "--listen" : line.config_file;
    return {std::nullopt, {{line.admin ? "--admin" : file, 0, 0, taken}}};
  }
  config.workers = line.workers.value_or(config.workers);
  config.logging.level = line.log_level.value_or(config.logging.level);
  config.logging.format = line.log_format.value_or(config.logging.format);
  return result;
}

std::optional<Config> LoadConfig(const CommandLine& line, const Environment& env,
                                 std::ostream& err) {
  LoadResult result = ReadConfig(line, env);
  if (!result.config) Print(result.diagnostics, err);
  return std::move(result.config);
}

ExitStatus RunCheck(const CommandLine& line, const Environment& env, std::ostream& out,
                    std::ostream& err) {
  const std::optional<Config> config = LoadConfig(line, env, err);
  if (!config) return ExitStatus::kConfiguration;
  const auto upstreams = std::ranges::count(config->upstreams, false, &UpstreamConfig::is_auth);
  out << line.config_file << ": ok (" << Count(config->listeners.size(), "listener") << ", "
      << Count(static_cast<std::size_t>(upstreams), "upstream") << ", "
      << Count(config->routes.size(), "route") << ")\n";
  return ExitStatus::kOk;
}

ExitStatus RunPrintConfig(const CommandLine& line, const Environment& env, std::ostream& out,
                          std::ostream& err) {
  const std::optional<Config> config = LoadConfig(line, env, err);
  if (!config) return ExitStatus::kConfiguration;
  out << PrintConfig(*config);
  return ExitStatus::kOk;
}

}  // namespace connguard
