// The guard's configuration for `connguard demo`.
#pragma once

#include <cstdint>

#include "connguard/config.h"

namespace connguard {

// The guard listens at `listen`; the demo's agent is at 127.0.0.1:`agent_port`. Same rules as
// conf/profiles/cheshire-cat.yaml, one turn at a time; admin at 127.0.0.1:9180.
Config DemoConfig(const Address& listen, std::uint16_t agent_port);

}  // namespace connguard
