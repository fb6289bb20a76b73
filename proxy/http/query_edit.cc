// A query is cut at its `&` and put together again.
#include "http/query_edit.h"

#include <algorithm>
#include <utility>

#include "http/text.h"

namespace connguard {
namespace {

// `before` ends in front of the `?`, `after` begins with the `#`.
struct Pieces {
  std::string_view before;
  std::optional<std::string_view> query;
  std::string_view after;
};

Pieces Cut(std::string_view target) {
  Pieces pieces;
  const std::size_t end = std::min(target.find('#'), target.size());
  pieces.after = target.substr(end);
  target = target.substr(0, end);
  const std::size_t mark = target.find('?');
  pieces.before = target.substr(0, mark);
  if (mark != std::string_view::npos) pieces.query = target.substr(mark + 1);
  return pieces;
}

std::string NameOf(std::string_view parameter) {
  return FormDecode(parameter.substr(0, parameter.find('=')));
}

}  // namespace

bool HasControl(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string WithoutParameters(std::string_view target, const std::vector<std::string>& names) {
  const Pieces pieces = Cut(target);
  if (!pieces.query || names.empty()) return std::string(target);
  std::string kept;
  bool first = true;
  bool changed = false;
  std::size_t begin = 0;
  while (begin <= pieces.query->size()) {
    const std::size_t end = std::min(pieces.query->find('&', begin), pieces.query->size());
    const std::string_view parameter = pieces.query->substr(begin, end - begin);
    begin = end + 1;
    if (std::ranges::find(names, NameOf(parameter)) != names.end()) {
      changed = true;
      continue;
    }
    if (!std::exchange(first, false)) kept += '&';
    kept += parameter;
  }
  if (!changed) return std::string(target);
  std::string out(pieces.before);
  if (!kept.empty()) out.append("?").append(kept);
  return out.append(pieces.after);
}

std::optional<std::string> FirstParameter(std::string_view target, std::string_view name) {
  std::string_view rest = Cut(target).query.value_or("");
  while (!rest.empty()) {
    std::string_view value = TakeUntil(rest, '&');
    if (NameOf(value) != name) continue;
    TakeUntil(value, '=');
    return FormDecode(value);
  }
  return std::nullopt;
}

QueryEdit EditQuery(std::string_view target, const RouteConfig& route) {
  QueryEdit edit;
  std::vector<std::string> names = route.strip_query;
  if (route.lift) {
    const LiftConfig& lift = *route.lift;
    names.push_back(lift.query);
    const std::string value = FirstParameter(target, lift.query).value_or("");
    if (HasControl(value)) {
      edit.refusal = Refusal{400, "a query parameter holds a control character"};
    } else if (!value.empty()) {
      edit.lifted = AddedField{lift.header, lift.before + value + lift.after};
    }
  }
  edit.target = WithoutParameters(target, names);
  return edit;
}

}  // namespace connguard
