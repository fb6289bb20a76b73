// zsh: a function for _arguments, to be autoloaded or sourced.
#include "cli/completion.h"

namespace connguard {
namespace {

constexpr std::string_view kHead = R"sh(#compdef connguard
# zsh completion of connguard, as `connguard completion zsh` prints it.

_connguard() {
  local context state state_descr line ret=1
  typeset -A opt_args
  local -a commands
)sh";

constexpr std::string_view kTail = R"sh(      esac
      ;;
  esac
  return ret
}

# Autoloaded, this file is the function's body; sourced, it says what the function is for.
if [[ ${funcstack[1]-} == _connguard ]]; then
  _connguard "$@"
else
  compdef _connguard connguard
fi
)sh";

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// What _arguments is to do with a value: `:FILE:_files`.
std::string Action(const OptionModel& option) {
  std::string action = ":" + option.value + ":";
  if (!option.words.empty()) return action + "(" + Joined(option.words, " ") + ")";
  return option.value == kFileValue ? action + "_files" : action + " ";
}

// '(-c --config)'{-c,--config=}'[Configuration file (YAML)]:FILE:_files'
std::string Spec(const OptionModel& option) {
  if (IsPositional(option)) return Quoted("1" + Action(option));
  std::string help = "[";
  for (const char c : option.help) {
    if (c == '[' || c == ']' || c == ':') help += '\\';
    help += c;
  }
  help += "]";
  if (!option.value.empty()) help += Action(option);
  std::vector<std::string> names;
  for (const std::string& name : option.names) {
    names.push_back(name.starts_with("--") && !option.value.empty() ? name + "=" : name);
  }
  const std::string braces = names.size() == 1 ? names.front() : "{" + Joined(names, ",") + "}";
  return "'(" + Joined(option.names, " ") + ")'" + braces + Quoted(help);
}

void AppendSpecs(const CommandModel& command, std::string_view indent, std::string& script) {
  for (const OptionModel& option : command.options) {
    script.append(" \\\n").append(indent).append(Spec(option));
  }
}

}  // namespace

std::string ZshCompletion(const CommandModel& commands) {
  std::string script(kHead);
  script += "  commands=(\n";
  for (const CommandModel& command : commands.commands) {
    script += "    " + Quoted(command.name + ":" + command.help) + "\n";
  }
  script += "  )\n  _arguments -C";
  AppendSpecs(commands, "    ", script);
  script +=
      " \\\n    '1:command:->command' \\\n    '*::argument:->argument' && ret=0\n"
      "  case $state in\n    command)\n      _describe -t commands command commands && ret=0\n"
      "      ;;\n    argument)\n      case $line[1] in\n";
  for (const CommandModel& command : commands.commands) {
    script += "        " + command.name + ")\n          _arguments";
    AppendSpecs(command, "            ", script);
    script += " && ret=0\n          ;;\n";
  }
  return script.append(kTail);
}

}  // namespace connguard
