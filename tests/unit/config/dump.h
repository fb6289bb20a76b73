// Every field of a Config as text, independent of PrintConfig, so that tests can compare and read
// it.
#pragma once

#include <string>

#include "connguard/config.h"

namespace connguard {

std::string Dump(const Config& config);

}  // namespace connguard
