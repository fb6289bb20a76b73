// JSON as the admin endpoints write it.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace connguard {

using Json = nlohmann::ordered_json;

// One line, without its end. What is not UTF-8 becomes U+FFFD.
std::string Dump(const Json& json);

// `2026-03-01T12:00:00.000Z`.
std::string Rfc3339(std::chrono::system_clock::time_point time);
// Likewise; null for the epoch, which stands for never.
Json TimeOrNull(std::chrono::system_clock::time_point time);

}  // namespace connguard
