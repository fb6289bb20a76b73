// connguard(1) and connguard.yaml(5), made from the command line's own tables and from what
// conf/connguard.yaml says.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "cli/command_model.h"
#include "config/reference.h"

namespace connguard {

inline constexpr std::array<std::string_view, 2> kManPages{"connguard", "connguard.yaml"};

// In roff. `page`: one of kManPages.
std::string ManPage(std::string_view page, const CommandModel& commands,
                    const Reference& reference);

// What the two pages are made by.
std::string CommandManPage(const CommandModel& commands);
std::string ConfigurationManPage(const Reference& reference);

}  // namespace connguard
