// `connguard completion`: scripts that let a shell complete command lines, made from the command
// line's own tables.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "cli/command_model.h"

namespace connguard {

inline constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};

// `shell`: one of kShells.
std::string Completion(std::string_view shell, const CommandModel& commands);

std::string BashCompletion(const CommandModel& commands);
std::string ZshCompletion(const CommandModel& commands);
std::string FishCompletion(const CommandModel& commands);

// What the scripts have in common.
inline constexpr std::string_view kFileValue = "FILE";  // a value that is a file's name
bool IsPositional(const OptionModel& option);
std::string Joined(const std::vector<std::string>& words, std::string_view separator);
std::vector<std::string> NamesOf(const std::vector<CommandModel>& commands);

}  // namespace connguard
