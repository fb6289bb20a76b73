// What the admin endpoints must know of a request.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connguard {

struct AdminRequest {
  std::string_view method{};          // `GET`; empty: one that we do not know
  std::string path{};                 // percent-decoded and normalised
  std::vector<std::string> query{};   // the parts between `&`, decoded
  std::optional<std::string> host{};  // as all fields: nullopt when it is not there
  std::optional<std::string> origin{};
  std::optional<std::string> authorization{};
  std::optional<std::size_t> body = 0;  // its size; nullopt: it cannot be relied on

  bool safe() const { return method == "GET" || method == "HEAD"; }
};

}  // namespace connguard
