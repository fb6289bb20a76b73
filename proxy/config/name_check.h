// Names that must not be given twice.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/section.h"

namespace connguard {

// Reports a name that an earlier entry of the same list has.
class NameCheck {
 public:
  void Add(Section& entry, const std::string& name);

 private:
  std::vector<std::pair<std::string, int>> seen_;  // name, line
};

}  // namespace connguard
