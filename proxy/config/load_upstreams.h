// `upstreams` of the configuration.
#pragma once

#include <vector>

#include "config/file_access.h"

namespace connguard {

std::vector<UpstreamConfig> ReadUpstreams(Section& root, const NamedFiles& files);

}  // namespace connguard
