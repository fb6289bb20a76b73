#include "cli/completion.h"

namespace connguard {

bool IsPositional(const OptionModel& option) { return option.names.empty(); }

std::string Joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::vector<std::string> NamesOf(const std::vector<CommandModel>& commands) {
  std::vector<std::string> names;
  for (const CommandModel& command : commands) names.push_back(command.name);
  return names;
}

std::string Completion(std::string_view shell, const CommandModel& commands) {
  if (shell == "bash") return BashCompletion(commands);
  return shell == "zsh" ? ZshCompletion(commands) : FishCompletion(commands);
}

}  // namespace connguard
