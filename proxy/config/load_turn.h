// Turn profiles, named and inline.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/section.h"

namespace connguard {

// Reads what `turn` says; each profile file is read, and its mistakes reported, once.
class TurnReader {
 public:
  TurnReader(const Environment& env, std::vector<Diagnostic>& diagnostics,
             const std::vector<std::string>& profile_dirs)
      : env_(env), diagnostics_(diagnostics), dirs_(profile_dirs) {}

  // `turn` of a route; the profile `quiet` when there is none.
  TurnProfile Read(Section& route);

 private:
  TurnProfile Inline(Section& turn);
  const TurnProfile* Profile(const std::string& name, std::string& error);

  const Environment& env_;
  std::vector<Diagnostic>& diagnostics_;
  const std::vector<std::string>& dirs_;
  std::map<std::string, TurnProfile> read_;
};

}  // namespace connguard
