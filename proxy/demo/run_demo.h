// `connguard demo`: the embedded agent and a guard in front of it.
#pragma once

#include "cli/command_line.h"

namespace connguard {

// Runs until SIGTERM or SIGINT; says on stdout where to look. kUsage for an address that is none,
// kRuntime when one cannot be listened on (on stderr).
ExitStatus RunDemo(const CommandLine& line);

}  // namespace connguard
