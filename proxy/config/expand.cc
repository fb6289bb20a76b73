// A scan for $ from left to right; references do not nest.
#include "config/expand.h"

#include <algorithm>

namespace connguard {
namespace {

bool IsName(std::string_view text) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, is_word);
}

// One reference without its ${ and }.
struct Reference {
  std::string name;
  std::optional<std::string> fallback;
};

Reference Split(std::string_view inside) {
  const std::size_t mark = inside.find(":-");
  if (mark == std::string_view::npos) return {std::string(inside), std::nullopt};
  return {std::string(inside.substr(0, mark)), std::string(inside.substr(mark + 2))};
}

}  // namespace

Expanded Expand(std::string_view text, const Environment& env) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (!text.starts_with("${")) {
      out += '$';
      text.remove_prefix(text.starts_with("$$") ? 2 : 1);
      continue;
    }
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return {{}, "'${' without '}'; write $$ for a dollar sign", "${"};
    }
    const Reference reference = Split(text.substr(2, close - 2));
    const std::string at = "${" + reference.name;
    if (!IsName(reference.name)) {
      return {{}, "'" + reference.name + "' is not a variable's name", at};
    }
    const std::optional<std::string> value = env(reference.name);
    if (reference.fallback && value.value_or("").empty()) {
      out += *reference.fallback;
    } else if (value) {
      out += *value;
    } else {
      return {{},
              "variable '" + reference.name + "' is not set; write ${" + reference.name +
                  ":-value} to give it a default",
              at};
    }
    text.remove_prefix(close + 1);
  }
  return {std::move(out), {}, {}};
}

}  // namespace connguard
