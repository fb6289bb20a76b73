// The live page's files and the description of the API, compiled in.
#pragma once

#include <optional>
#include <string_view>

namespace connguard {

// The content of web/<name>, or of openapi.json; lives as long as the program. nullopt: there is no
// such file.
std::optional<std::string_view> FindAdminAsset(std::string_view name);

}  // namespace connguard
