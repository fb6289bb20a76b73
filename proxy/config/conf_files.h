// The files of conf/ that explain the configuration, compiled in.
#pragma once

#include <optional>
#include <string_view>

namespace connguard {

// The text of connguard.yaml or minimal.yaml; lives as long as the program. nullopt: there is no
// such file.
std::optional<std::string_view> FindConfFile(std::string_view name);

}  // namespace connguard
