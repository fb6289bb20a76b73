// Targets, queries and cookies: finding the parts of a request that name a user.
#include "http/message.h"
#include "http/text.h"

namespace connguard {
namespace {

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = ToLowerAscii(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string FormDecode(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return PercentDecode(spaced);
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<AbsoluteTarget> ParseAbsolute(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  bool known = false;
  for (const std::string_view name : {"http", "https", "ws", "wss"}) {
    known = known || EqualsIgnoringCase(scheme, name);
  }
  if (!known) return std::nullopt;
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  return AbsoluteTarget{rest.substr(0, end), rest.substr(end)};
}

std::string_view PathOf(std::string_view target) {
  if (const auto absolute = ParseAbsolute(target)) target = absolute->path_and_query;
  const std::string_view path = target.substr(0, target.find('?'));
  return path.empty() ? "/" : path;
}

std::string_view QueryOf(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  std::optional<std::string> last;
  while (!query.empty()) {
    std::string_view value = TakeUntil(query, '&');
    const std::string_view key = TakeUntil(value, '=');
    if (FormDecode(key) == name) last = FormDecode(value);
  }
  return last;
}

std::optional<std::string> CookieValue(const std::vector<Field>& fields, std::string_view name) {
  std::optional<std::string> last;
  for (const Field& field : fields) {
    if (!EqualsIgnoringCase(field.name, "Cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      std::string_view value = TakeUntil(rest, ';');
      const std::string_view key = Trim(TakeUntil(value, '='));
      if (key != name) continue;
      value = Trim(value);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      last = std::string(value);
    }
  }
  return last;
}

}  // namespace connguard
