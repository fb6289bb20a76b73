// bash: one function over COMP_WORDS, which needs nothing of the package bash-completion.
#include <algorithm>

#include "cli/completion.h"

namespace connguard {
namespace {

// In bash's word breaks `=` is a word of its own: --config=x comes as three.
constexpr std::string_view kHead =
    R"sh(# bash completion of connguard, as `connguard completion bash` prints it.

_connguard() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' i
    local words='' options=''
    COMPREPLY=()
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' ]] && ((COMP_CWORD > 1)); then
        previous=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
)sh";

constexpr std::string_view kBehindValues = R"sh()
                ((i++))
                [[ ${COMP_WORDS[i]} != '=' ]] || ((i++))
                ;;
)sh";

constexpr std::string_view kBehindCommands = R"sh()
                [[ -n $command ]] || command=${COMP_WORDS[i]}
                ;;
        esac
    done
    case $command:$previous in
)sh";

constexpr std::string_view kFiles = R"sh()
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            compopt -o filenames 2>/dev/null
            return
            ;;
)sh";

// Options are offered to who begins one, or where there is nothing else.
constexpr std::string_view kTail = R"sh(    esac
    [[ $current != -* && -n $words ]] || words=$options
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _connguard connguard
)sh";

// `run:-c|run:--config`
std::string Pattern(const std::string& command, const OptionModel& option) {
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) {
    patterns.emplace_back(command).append(":").append(name);
  }
  return Joined(patterns, "|");
}

struct Values {
  std::vector<std::string> takers;      // names of options that take one
  std::vector<std::string> of_files;    // patterns
  std::vector<std::string> of_nothing;  // of free text
  std::string of_words;                 // cases
};

void Sort(const std::string& command, const std::vector<OptionModel>& options, Values& values) {
  for (const OptionModel& option : options) {
    if (option.value.empty() || IsPositional(option)) continue;
    for (const std::string& name : option.names) {
      if (std::ranges::find(values.takers, name) == values.takers.end()) {
        values.takers.push_back(name);
      }
    }
    const std::string pattern = Pattern(command, option);
    if (!option.words.empty()) {
      values.of_words +=
          "        " + pattern + ")\n            mapfile -t COMPREPLY < <(compgen -W '" +
          Joined(option.words, " ") + "' -- \"$current\")\n            return\n            ;;\n";
    } else {
      (option.value == kFileValue ? values.of_files : values.of_nothing).push_back(pattern);
    }
  }
}

// `words='…' options='…'`: what may stand there that is no value.
std::string Words(const CommandModel& command) {
  std::vector<std::string> words = NamesOf(command.commands);
  std::vector<std::string> options;
  for (const OptionModel& option : command.options) {
    const bool positional = IsPositional(option);
    const std::vector<std::string>& more = positional ? option.words : option.names;
    std::vector<std::string>& all = positional ? words : options;
    all.insert(all.end(), more.begin(), more.end());
  }
  return "words='" + Joined(words, " ") + "' options='" + Joined(options, " ") + "' ;;\n";
}

}  // namespace

std::string BashCompletion(const CommandModel& commands) {
  Values values;
  Sort("", commands.options, values);
  for (const CommandModel& command : commands.commands) {
    Sort(command.name, command.options, values);
  }
  std::string script(kHead);
  script.append("            ").append(Joined(values.takers, " | ")).append(kBehindValues);
  script.append("            ").append(Joined(NamesOf(commands.commands), " | "));
  script.append(kBehindCommands);
  script.append("        ").append(Joined(values.of_files, " | ")).append(kFiles);
  script.append(values.of_words);
  script.append("        ").append(Joined(values.of_nothing, " | "));
  script.append(")\n            return\n            ;;\n    esac\n    case $command in\n");
  script.append("        '') ").append(Words(commands));
  for (const CommandModel& command : commands.commands) {
    script.append("        ").append(command.name).append(") ").append(Words(command));
  }
  return script.append(kTail);
}

}  // namespace connguard
