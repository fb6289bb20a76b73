// Small comparisons on header text, ASCII only whatever the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace connguard {

constexpr char ToLowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr bool IsAlphanumeric(char c) {
  return IsDigit(c) || (ToLowerAscii(c) >= 'a' && ToLowerAscii(c) <= 'z');
}

// Most texts that are equal are so to the byte, and most others differ in size.
constexpr bool EqualsIgnoringCase(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         (left == right || std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
            return ToLowerAscii(a) == ToLowerAscii(b);
          }));
}

// `text` without surrounding spaces and tabs.
constexpr std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the text before the next `separator` off the front of `rest`. An empty `rest` gives an
// empty text: loop while it is not empty.
constexpr std::string_view TakeUntil(std::string_view& rest, char separator) {
  const std::string_view item = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(rest.size(), item.size() + 1));
  return item;
}

}  // namespace connguard
