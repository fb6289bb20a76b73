// The two little languages of a route: path patterns and session key templates. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/parsed.h"
#include "connguard/config.h"

namespace connguard {

// `/ws/{user_id}/**`. Written decoded: a percent sign is an error.
Parsed<std::vector<PathSegment>> ParsePathPattern(std::string_view text);
std::string FormatPathPattern(const std::vector<PathSegment>& pattern);

// `{path.user_id}`, `user`, `{query.a}-{client.ip}`. {path.x} must be one of `pattern`'s names.
Parsed<KeyTemplate> ParseKeyTemplate(std::string_view text, std::span<const PathSegment> pattern);
std::string FormatKeyTemplate(const KeyTemplate& parts);

// True when each request that matches `later` also matches `earlier`, so that a route behind it is
// never taken.
bool Covers(const RouteMatch& earlier, const RouteMatch& later);

// The name of a header or of a method (RFC 9110 §5.1, §9.1).
bool IsToken(std::string_view text);

}  // namespace connguard
