// JSON scalars: see the header. simdjson also converts them, and so refuses sound texts: numbers
// that fit no machine type, halves of surrogate pairs.
#include "ws/json_grammar.h"

#include <algorithm>

namespace connguard {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Removes leading digits; false when there are none.
bool TakeDigits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count > 0;
}

bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && IsDigit(text[1])) return false;
  if (!TakeDigits(text)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  return text.empty();
}

}  // namespace

std::string_view TrimJson(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool IsJsonString(std::string_view raw, std::size_t& size) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '"') {
      size = i;
      return true;
    }
    if (static_cast<unsigned char>(raw[i]) < 0x20) return false;
    if (raw[i] != '\\') continue;
    ++i;
    if (i == raw.size()) return false;
    if (raw[i] == 'u') {
      const std::string_view digits = raw.substr(i + 1, 4);
      if (digits.size() < 4 || !std::all_of(digits.begin(), digits.end(), IsHex)) return false;
      i += 4;
    } else if (std::string_view("\"\\/bfnrt").find(raw[i]) == std::string_view::npos) {
      return false;
    }
  }
  return false;
}

bool IsJsonScalar(std::string_view token) {
  if (token.starts_with('"')) {
    std::size_t size = 0;
    return IsJsonString(token.substr(1), size) && size + 2 == token.size();
  }
  return token == "true" || token == "false" || token == "null" || IsJsonNumber(token);
}

}  // namespace connguard
