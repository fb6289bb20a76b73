// The list shrinks with every version.
#include "config/later_keys.h"

#include <algorithm>
#include <array>
#include <utility>

namespace connguard {
namespace {

using Later = std::pair<std::string_view, std::string_view>;

constexpr auto kLater = std::to_array<Later>({
    {"", "cluster"},
    {"", "auth"},
    {"upstreams", "redial"},
    {"upstreams", "headers"},
    {"routes", "jwt"},
    {"routes", "headers"},
    {"routes.session", "early_101"},
    {"routes.session", "park"},
    {"routes.session.on_drop", "park"},
    {"limits", "messages_per_second"},
});

}  // namespace

bool IsLaterKey(std::string_view section, std::string_view word) {
  return std::ranges::find(kLater, Later(section, word)) != kLater.end();
}

}  // namespace connguard
