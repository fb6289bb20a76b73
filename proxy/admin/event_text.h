// Events as text/event-stream writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "admin/event_feed.h"
#include "admin/json.h"

namespace connguard {

// `event: hello\ndata: {…}\n\n`, with `id: N` before it where there is one.
std::string StreamText(std::string_view event, const Json& data,
                       std::optional<std::uint64_t> id = std::nullopt);

std::string EventText(const AdminEvent& event, std::uint64_t id, bool show_keys);

}  // namespace connguard
