// The command line as plain tables, taken from what --help itself is printed from: the source of
// the man page and of the shells' completions.
#pragma once

#include <string>
#include <vector>

namespace connguard {

struct OptionModel {
  std::vector<std::string> names = {};  // -c, --config; none: it is known by its place
  std::string value = {};               // FILE, ADDR, …; empty: it takes none
  std::vector<std::string> words = {};  // the values that there are; empty: they are not words
  std::string preset = {};              // its value when it is not given
  bool required = false;
  std::string help = {};
};

struct CommandModel {
  std::string name = {};
  std::string help = {};
  std::vector<OptionModel> options = {};
  std::vector<CommandModel> commands = {};
};

}  // namespace connguard
