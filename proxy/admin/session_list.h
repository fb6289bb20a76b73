// GET /v1/sessions and /v1/keys: which of them, in which order, from where to where.
#pragma once

#include <chrono>
#include <vector>

#include "admin/json.h"
#include "admin/query.h"
#include "admin/session_info.h"

namespace connguard {

// What a request wants to see of all sessions.
struct SessionSelection {
  explicit SessionSelection(Query& query);  // throws BadParameter

  std::optional<std::string> route;
  std::optional<std::string> key;     // as it is shown
  std::optional<std::string> client;  // an address, with or without its port
  std::optional<std::string> text;    // anywhere in id, key, client or route
  std::optional<std::string_view> state;
  std::string_view sort;
  bool ascending;
  std::size_t limit;
  std::size_t offset;
};

// Pure.
Json SessionListJson(std::vector<SessionInfo> sessions, const SessionSelection& selection,
                     bool show_keys, std::chrono::system_clock::time_point now);

struct KeySelection {
  explicit KeySelection(Query& query);  // throws BadParameter

  std::optional<std::string> text;  // anywhere in key, upstream or a session's id
  std::size_t limit;
  std::size_t offset;
};

// Sorted by key as it is shown. Pure.
Json KeyListJson(const std::vector<KeyInfo>& keys, const KeySelection& selection, bool show_keys);

}  // namespace connguard
