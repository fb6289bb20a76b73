// What a session is called in the log and by operators: `worker:number`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connguard/types.h"

namespace connguard {

std::string NameOf(const Ticket& session);

// nullopt: no session was ever called so.
std::optional<Ticket> ParseSessionName(std::string_view name);

}  // namespace connguard
