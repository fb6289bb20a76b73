// The commands that run to their end at once: check, print-config, health, drain; and what `run`
// starts with.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "cli/command_line.h"
#include "config/load.h"

namespace connguard {

// Puts --admin over the configuration's; what it says of tokens stays. Returns why that cannot be,
// as WhyExposed; empty when all is well.
std::string ApplyAdminFlag(const CommandLine::AdminFlag& flag, Config& config);

// The configuration that `line` asks for, its flags applied over it.
LoadResult ReadConfig(const CommandLine& line, const Environment& env);

// Likewise. nullopt after diagnostics on `err`: end with kConfiguration.
std::optional<Config> LoadConfig(const CommandLine& line, const Environment& env,
                                 std::ostream& err);

// `FILE: ok (…)` on `out`, or every diagnostic on `err`.
ExitStatus RunCheck(const CommandLine& line, const Environment& env, std::ostream& out,
                    std::ostream& err);

// The configuration in force on `out`, or every diagnostic on `err`.
ExitStatus RunPrintConfig(const CommandLine& line, const Environment& env, std::ostream& out,
                          std::ostream& err);

// GET /readyz of the guard whose admin endpoint is `admin`: kOk and a line on `out` when it answers
// 200, else kRuntime and a line on `err`. Blocks for `timeout` at most, but for a host name's
// lookup.
ExitStatus RunHealth(const Address& admin, Millis timeout, std::ostream& out, std::ostream& err);
inline constexpr Millis kHealthTimeout{2'000};

// What `connguard drain` is told.
struct DrainOrder {
  Address admin = {};
  std::string token_file = {};  // empty: no token
  bool wait = false;
  Millis pace{500};         // between two questions
  Millis patience{10'000};  // for the order's answer, and for the drain to begin
};

// POST /v1/drain, and when the drain has begun a line on `out` of how many tunnels are left until
// when. `wait`: then a line for each change until the guard has gone. A guard that has got the
// order but is too busy to answer in time is watched all the same. kOk: it drains, or has gone;
// else kRuntime and a line on `err`.
ExitStatus RunDrain(const DrainOrder& order, std::ostream& out, std::ostream& err);

}  // namespace connguard
