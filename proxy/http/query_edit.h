// Credentials in a URL: taken out of it before it goes where URLs are logged. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/config.h"
#include "http/message.h"

namespace connguard {

// True for what must not go into a field: it could end the line, and so begin another one.
bool HasControl(std::string_view text);

// `target` without its query's parameters that have one of these names. Everything else stays byte
// by byte: order, escapes, empty parameters, a fragment; the `?` goes with the last parameter.
//
// Parameters are parted by `&` alone (WHATWG URL §5.1). Names are compared percent-decoded, `+`
// being a space, so that `%74oken` is `token` as it is to the backend.
std::string WithoutParameters(std::string_view target, const std::vector<std::string>& names);

// The value of the first parameter of this name in `target`'s query, decoded as above.
std::optional<std::string> FirstParameter(std::string_view target, std::string_view name);

struct QueryEdit {
  std::string target;  // for the upstream
  // Goes upstream instead of the client's own field of this name.
  std::optional<AddedField> lifted{};
  std::optional<Refusal> refusal{};
};

// What `strip_query` and `lift` of a route make of a request's target. Without the parameter, or
// with an empty one, nothing is lifted, and the client's own field stays. A value that would break
// the field is refused (400).
QueryEdit EditQuery(std::string_view target, const RouteConfig& route);

}  // namespace connguard
