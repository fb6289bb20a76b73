// Looks profiles up in directories first, so that one's own can replace what is built in.
#include "config/profiles.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "config/file_text.h"

namespace connguard {

std::optional<Parsed<ProfileSource>> FindProfile(const std::string& name,
                                                 const std::vector<std::string>& dirs) {
  using Result = Parsed<ProfileSource>;
  for (const std::string& dir : dirs) {
    const std::filesystem::path path = std::filesystem::path(dir) / (name + ".yaml");
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    Parsed<std::string> text = ReadFileText(path);
    if (!text) return Result::Failed("'" + path.string() + "' " + text.error);
    return Result::Of({path, *std::move(text.value)});
  }
  const auto builtin = std::ranges::find(BuiltinProfiles(), name, &BuiltinProfile::name);
  if (builtin == BuiltinProfiles().end()) return std::nullopt;
  return Result::Of({"(built in) profiles/" + name + ".yaml", std::string(builtin->text)});
}

std::vector<std::string> ProfileNames(const std::vector<std::string>& dirs) {
  std::set<std::string> names;
  for (const BuiltinProfile& profile : BuiltinProfiles()) names.emplace(profile.name);
  for (const std::string& dir : dirs) {
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(dir, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      if (entry->path().extension() == ".yaml") names.insert(entry->path().stem());
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace connguard
