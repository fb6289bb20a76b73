// `connguard reference`: every key of the configuration, as the README has them.
#pragma once

#include <string>

#include "config/reference.h"

namespace connguard {

// What conf/connguard.yaml says, as it is compiled in.
Reference ConfigurationReference();

// False for a section that says nothing beyond the keys in it.
bool IsWorthTelling(const ReferenceKey& key);

// A Markdown table behind the introduction.
std::string ReferenceAsMarkdown(const Reference& reference);

}  // namespace connguard
