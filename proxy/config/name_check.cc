// The line of the first one helps to find it.
#include "config/name_check.h"

#include <algorithm>

namespace connguard {

void NameCheck::Add(Section& entry, const std::string& name) {
  if (name.empty()) return;
  const Value place = *entry.Find("name");
  const auto taken = std::ranges::find(seen_, name, &std::pair<std::string, int>::first);
  if (taken != seen_.end()) {
    entry.Error(place, "name",
                Quoted(name) + " is taken, first in line " + std::to_string(taken->second));
  }
  seen_.emplace_back(name, place.mark.line + 1);
}

}  // namespace connguard
