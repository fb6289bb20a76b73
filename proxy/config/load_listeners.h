// `listeners` of the configuration.
#pragma once

#include <vector>

#include "config/file_access.h"

namespace connguard {

std::vector<ListenerConfig> ReadListeners(Section& root, const NamedFiles& files);

// `bind`, which is required. True when it is sound.
bool ReadBind(Section& section, Address& out);

// Only one of the two could be listened at.
bool SameSocket(const Address& a, const Address& b);

// One of the two takes connections to the other: the same socket, or every address of its port.
bool Overlap(const Address& a, const Address& b);

}  // namespace connguard
