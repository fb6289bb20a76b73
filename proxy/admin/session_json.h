// Sessions and fences as JSON. Session keys are hashed here, or nowhere.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "admin/json.h"
#include "admin/session_info.h"

namespace connguard {

inline constexpr auto kSessionStates =
    std::to_array<std::string_view>({"waiting", "dialing", "orphaned", "open", "shielded",
                                     "lingering", "closing", "settling", "barrier"});

// How `key` is shown: its hash (log/log.h), or itself with `show_keys`. Empty stays empty.
std::string ShownKey(std::string_view key, bool show_keys);

// Without its recorder.
Json SessionJson(const SessionInfo& session, bool show_keys,
                 std::chrono::system_clock::time_point now);
Json RecorderJson(const SessionInfo& session, std::chrono::system_clock::time_point now);
Json KeyJson(const KeyInfo& key, bool show_keys);

}  // namespace connguard
