// Origins: which web pages may open a connection (RFC 6454, RFC 6455 §10.2). Pure; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "connguard/config.h"
#include "http/message.h"

namespace connguard {

// The port where an origin of `scheme` names none; 0 for schemes that are not of the web.
std::uint16_t DefaultPort(std::string_view scheme);

// One serialised origin (RFC 6454 §6.2) such as `https://app.example:8443`, or `null`, in lower
// case and with its port filled in. nullopt for all else: a list, a path, a user, an empty label.
std::optional<OriginPattern> ParseOrigin(std::string_view text);

// True where `patterns` is empty, and where the request's Origin is one of them. A request without
// Origin is admitted: every browser sends it with a WebSocket handshake, and nothing but a browser
// can be made to send a user's cookies by a page of somebody else's. Two Origin fields, and one
// that is no origin, are refused: who reads which of them is anybody's guess.
bool OriginAllowed(const std::vector<OriginPattern>& patterns, const RequestHead& head);

}  // namespace connguard
