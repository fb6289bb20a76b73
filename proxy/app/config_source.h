// Where the configuration comes from, for a guard that is to be reloaded.
#pragma once

#include <functional>
#include <string>

#include "config/load.h"

namespace connguard {

struct ConfigSource {
  // Reads it anew, command line's overrides included. Called on the control thread; may block on
  // files. Empty: there is no file, nothing can be reloaded.
  std::function<LoadResult()> load = {};
  std::string file = {};
  bool watch = false;  // reload when the file changes
};

}  // namespace connguard
