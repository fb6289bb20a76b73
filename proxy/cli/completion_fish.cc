// fish: one `complete` for each option and command.
#include "cli/completion.h"

namespace connguard {
namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// `condition`: when it may stand there.
void AppendOption(const std::string& condition, const OptionModel& option, std::string& script) {
  script += "complete -c connguard -n " + Quoted(condition);
  for (const std::string& name : option.names) {
    script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!IsPositional(option) && !option.value.empty()) {
    script += option.value == kFileValue ? " -r -F" : " -x";
  }
  if (!option.words.empty()) script += " -a " + Quoted(Joined(option.words, " "));
  script += " -d " + Quoted(option.help) + "\n";
}

}  // namespace

std::string FishCompletion(const CommandModel& commands) {
  const std::string names = Joined(NamesOf(commands.commands), " ");
  const std::string bare = "not __fish_seen_subcommand_from " + names;
  std::string script =
      "# fish completion of connguard, as `connguard completion fish` prints it.\n\n"
      "complete -c connguard -f\n";
  for (const CommandModel& command : commands.commands) {
    script += "complete -c connguard -n " + Quoted(bare) + " -a " + command.name + " -d " +
              Quoted(command.help) + "\n";
  }
  for (const OptionModel& option : commands.options) AppendOption(bare, option, script);
  for (const CommandModel& command : commands.commands) {
    const std::string condition = "__fish_seen_subcommand_from " + command.name;
    for (const OptionModel& option : command.options) AppendOption(condition, option, script);
  }
  return script;
}

}  // namespace connguard
