// A whole file in memory.
#pragma once

#include <string>

#include "config/parsed.h"
#include "connguard/types.h"

namespace connguard {

// More than any configuration needs, and little enough for a parser to be done with in no time.
inline constexpr Bytes kLargestConfig = 1024 * 1024;

// The file's text, or why there is none. Blocks; pipes are read to their end.
Parsed<std::string> ReadFileText(const std::string& path);

}  // namespace connguard
