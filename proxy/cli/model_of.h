// CLI11's tables as ours.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/command_model.h"

namespace connguard {

// The words of a value by its name in --help: LEVEL → debug, info, …
using ValueWords = std::map<std::string, std::vector<std::string>, std::less<>>;

CommandModel ModelOf(const CLI::App& app, const ValueWords& words);

}  // namespace connguard
