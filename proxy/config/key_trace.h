// Which keys the loader knows and which a file uses: how a test holds conf/connguard.yaml complete.
#pragma once

#include <set>
#include <string>

#include "config/load.h"

namespace connguard {

// Keys as `routes.session.wait`, without list indices.
struct KeyTrace {
  std::set<std::string> known;
  std::set<std::string> used;
};

// LoadConfigText that also fills `trace`. Keys of a section that the text leaves out stay unknown.
LoadResult LoadConfigTextTraced(const std::string& text, const std::string& file,
                                const Environment& env,
                                const std::vector<std::string>& profile_dirs, KeyTrace* trace);

}  // namespace connguard
