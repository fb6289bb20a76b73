// How a diagnostic reads, and the process's own variables.
#include <cstdlib>

#include "config/load.h"

namespace connguard {

std::string Diagnostic::ToString() const {
  std::string place = file;
  if (line > 0) place += ":" + std::to_string(line) + ":" + std::to_string(column);
  return place + ": error: " + message;
}

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

}  // namespace connguard
