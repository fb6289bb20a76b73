// Numbers and surrogates: see the header. Browsers send half a surrogate pair when they cut a text
// in the middle of an emoji, and backends in Python send integers of any size.
#include "ws/json_leniency.h"

#include <algorithm>
#include <string_view>

namespace connguard {
namespace {

constexpr std::string_view kNumberLetters = "0123456789+-.eE";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Removes leading digits; false when there are none.
bool TakeDigits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count > 0;
}

// RFC 8259 §6.
bool IsNumber(std::string_view text) {
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

// `rest` begins behind an opening quote. Returns how many of it belong to the string.
std::size_t ReplaceInString(std::span<char> rest) {
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '"') return i + 1;
    if (rest[i] != '\\') continue;
    ++i;
    const bool unicode = i + 2 < rest.size() && rest[i] == 'u';
    if (unicode && (rest[i + 1] == 'd' || rest[i + 1] == 'D') && rest[i + 2] >= '8') {
      rest[i + 1] = '1';
    }
  }
  return rest.size();
}

}  // namespace

void ReplaceOddValues(std::span<char> text) {
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i += 1 + ReplaceInString(text.subspan(i + 1));
      continue;
    }
    const std::string_view rest(text.data() + i, text.size() - i);
    const std::size_t size = std::min(rest.find_first_not_of(kNumberLetters), rest.size());
    if (IsNumber(rest.substr(0, size))) {
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(i), size, ' ');
      text[i] = '0';
    }
    i += std::max<std::size_t>(size, 1);
  }
}

}  // namespace connguard
