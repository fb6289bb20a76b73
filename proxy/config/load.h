// Reads the configuration: YAML text to an immutable Config, or every diagnostic at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/config.h"

namespace connguard {

// Where the admin endpoint is when the configuration says nothing, on 127.0.0.1. A second guard on
// the same machine must be given another one (`admin`, --admin).
inline constexpr std::uint16_t kDefaultAdminPort = 9180;

struct Diagnostic {
  std::string file;
  int line = 0;         // from 1; 0: the whole file
  int column = 0;       // from 1, in bytes
  std::string message;  // `session: unknown key 'settel'; did you mean 'settle'?`

  // conf/connguard.yaml:5:3: error: <message>
  std::string ToString() const;
};

struct LoadResult {
  std::optional<Config> config;         // set exactly when there are no diagnostics
  std::vector<Diagnostic> diagnostics;  // by line and column; those of profiles' files come last
};

// nullopt when a variable is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment ProcessEnvironment();

// Profiles named in `turn: {profile: x}` are looked up in `profile_dirs` (x.yaml) first, then among
// the ones compiled in (conf/profiles). LoadConfigFile puts the directory `profiles` beside the
// file before `profile_dirs`. Nothing is thrown; files block.
LoadResult LoadConfigFile(const std::string& path, const Environment& env,
                          const std::vector<std::string>& profile_dirs);
LoadResult LoadConfigText(const std::string& text, const std::string& file, const Environment& env,
                          const std::vector<std::string>& profile_dirs);

// Why admin endpoints must not be where they are: others can reach them and there is no token.
// Empty when all is well. `LoadConfig...` reports it; for whoever changes `bind` afterwards
// (--admin).
std::string WhyExposed(const AdminConfig& admin);

// The effective configuration as YAML that loads to the same Config, without any profile's file.
// Secrets are not in it: `admin.token` is printed as ${CONNGUARD_ADMIN_TOKEN}, so that the text
// loads only where that variable gives it a token.
std::string PrintConfig(const Config& config);

// For `--listen ADDR --upstream URL`, no file: one listener; one upstream, whose `http://` may be
// left out; the routes `/ws/{user_id}`, fenced by that name, and `/**` for the rest, both with the
// profile `quiet`; admin on its default address. Diagnostics name the flag as their file.
LoadResult QuickConfig(const std::string& listen, const std::string& upstream);

}  // namespace connguard
