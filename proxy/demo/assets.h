// The page's files, compiled in (proxy/cmake/Embed.cmake).
#pragma once

#include <optional>
#include <string_view>

namespace connguard::demo {

// The content of web/<name>; lives as long as the program. nullopt: there is no such file.
std::optional<std::string_view> FindAsset(std::string_view name);

}  // namespace connguard::demo
