// ${VAR} in values.
#pragma once

#include <string>
#include <string_view>

#include "config/load.h"

namespace connguard {

struct Expanded {
  std::string text;
  std::string error;     // empty when all went well
  std::string error_at;  // how the wrong reference begins, as written: ${NAME
};

// Replaces ${VAR} and ${VAR:-default}; the default stands in for a variable that is unset or empty,
// as in a shell. $$ is a $; any other $ stays. What a variable holds is not expanded again.
Expanded Expand(std::string_view text, const Environment& env);

}  // namespace connguard
