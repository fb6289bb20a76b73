// GET /v1/sessions and /v1/keys.
#include "admin/session_list.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "admin/session_json.h"

namespace connguard {
namespace {

constexpr auto kSorts =
    std::to_array<std::string_view>({"age", "bytes", "state", "route", "rtt", "buffered"});
constexpr auto kOrders = std::to_array<std::string_view>({"asc", "desc"});
constexpr std::uint64_t kDefaultLimit = 100;
constexpr std::uint64_t kMostAtOnce = 1000;

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// `address` may have a port: 192.0.2.1:5000, [2001:db8::1]:5000.
bool IsAddressOf(std::string_view address, std::string_view wanted) {
  if (address == wanted) return true;
  const bool bare_v6 = !address.starts_with('[') && address.find(':') != address.rfind(':');
  if (bare_v6) return false;
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) {
    if (host == wanted) return true;
    host = host.substr(1, host.size() - 2);
  }
  return host == wanted;
}

bool Matches(const SessionInfo& session, const SessionSelection& wanted, bool show_keys) {
  if (wanted.route && session.route != *wanted.route) return false;
  if (wanted.state && session.state != *wanted.state) return false;
  if (wanted.client && !IsAddressOf(session.address, *wanted.client)) return false;
  if (!wanted.key && !wanted.text) return true;
  const std::string key = ShownKey(session.key, show_keys);
  if (wanted.key && key != *wanted.key) return false;
  return !wanted.text || Holds(session.id, *wanted.text) || Holds(key, *wanted.text) ||
         Holds(session.address, *wanted.text) || Holds(session.route, *wanted.text);
}

// What sessions are sorted by: only one of both differs.
std::tuple<std::int64_t, std::string_view> SortKey(const SessionInfo& session,
                                                   std::string_view sort) {
  if (sort == "bytes") {
    return {static_cast<std::int64_t>(session.bytes_up + session.bytes_down), {}};
  }
  if (sort == "state") return {0, session.state};
  if (sort == "route") return {0, session.route};
  if (sort == "rtt") return {session.client.rtt ? session.client.rtt->count() : -1, {}};
  if (sort == "buffered") return {static_cast<std::int64_t>(session.buffered), {}};
  return {session.age.count(), {}};
}

template <typename Item>
std::pair<std::size_t, std::size_t> PageOf(const std::vector<Item>& all, std::size_t offset,
                                           std::size_t limit) {
  const std::size_t begin = std::min(offset, all.size());
  return {begin, begin + std::min(limit, all.size() - begin)};
}

std::size_t LimitOf(Query& query) { return query.Number("limit", kDefaultLimit, 1, kMostAtOnce); }

std::size_t OffsetOf(Query& query) {
  return query.Number("offset", 0, 0, std::numeric_limits<std::uint32_t>::max());
}

}  // namespace

SessionSelection::SessionSelection(Query& query)
    : route(query.Text("route")),
      key(query.Text("key")),
      client(query.Text("client")),
      text(query.Text("q")),
      state(query.Word("state", kSessionStates)),
      sort(query.Word("sort", kSorts).value_or("age")),
      ascending(query.Word("order", kOrders).value_or("desc") == "asc"),
      limit(LimitOf(query)),
      offset(OffsetOf(query)) {
  query.Finish();
}

Json SessionListJson(std::vector<SessionInfo> sessions, const SessionSelection& selection,
                     bool show_keys, std::chrono::system_clock::time_point now) {
  const std::size_t total = sessions.size();
  std::erase_if(sessions, [&](const SessionInfo& session) {
    return !Matches(session, selection, show_keys);
  });
  std::ranges::sort(sessions, [&](const SessionInfo& a, const SessionInfo& b) {
    const auto left = SortKey(a, selection.sort);
    const auto right = SortKey(b, selection.sort);
    if (left == right) return a.id < b.id;  // so that pages fit together
    return selection.ascending ? left < right : right < left;
  });
  const auto [begin, end] = PageOf(sessions, selection.offset, selection.limit);
  Json page = Json::array();
  for (std::size_t i = begin; i < end; ++i) {
    page.push_back(SessionJson(sessions[i], show_keys, now));
  }
  return {{"total", total},
          {"matched", sessions.size()},
          {"offset", selection.offset},
          {"sessions", std::move(page)}};
}

KeySelection::KeySelection(Query& query)
    : text(query.Text("q")), limit(LimitOf(query)), offset(OffsetOf(query)) {
  query.Finish();
}

Json KeyListJson(const std::vector<KeyInfo>& keys, const KeySelection& selection, bool show_keys) {
  std::vector<std::pair<std::string, const KeyInfo*>> shown;
  for (const KeyInfo& key : keys) {
    std::string name = ShownKey(key.key, show_keys);
    const auto named = [&](const KeyInfo::Holder& holder) {
      return Holds(holder.session, *selection.text);
    };
    if (!selection.text || Holds(name, *selection.text) || Holds(key.upstream, *selection.text) ||
        (key.waiter && Holds(*key.waiter, *selection.text)) ||
        std::ranges::any_of(key.holders, named)) {
      shown.emplace_back(std::move(name), &key);
    }
  }
  std::ranges::sort(shown, [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second->upstream) < std::tie(b.first, b.second->upstream);
  });
  const auto [begin, end] = PageOf(shown, selection.offset, selection.limit);
  Json page = Json::array();
  for (std::size_t i = begin; i < end; ++i) page.push_back(KeyJson(*shown[i].second, show_keys));
  return {{"total", keys.size()},
          {"matched", shown.size()},
          {"offset", selection.offset},
          {"keys", std::move(page)}};
}

}  // namespace connguard
