// Rules for parsed heads that go beyond the parser library: framing, Host, targets.
#pragma once

#include <optional>

#include "http/message.h"

namespace connguard {

// What makes a request illegal (RFC 9112 §3.2, §6): its status to answer with. nullopt: sound.
std::optional<Refusal> CheckRequest(const RequestHead& head);

// Likewise for an upstream's response; the status of the refusal is always 400.
std::optional<Refusal> CheckResponse(const ResponseHead& head);

}  // namespace connguard
