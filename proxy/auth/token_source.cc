#include "auth/token_source.h"

#include "http/text.h"

namespace connguard {
namespace {

using Texts = std::vector<std::string>;

Texts HeaderValues(const RequestHead& head, std::string_view name) {
  Texts values;
  for (const Field& field : head.fields) {
    if (EqualsIgnoringCase(field.name, name)) values.emplace_back(field.value);
  }
  return values;
}

// All Authorization headers, whatever their scheme: two are ambiguous before one looks inside.
Texts BearerTokens(const RequestHead& head) {
  Texts values = HeaderValues(head, "Authorization");
  for (std::string& value : values) {
    std::string_view rest = value;
    const bool bears = EqualsIgnoringCase(TakeUntil(rest, ' '), "Bearer");
    value = bears ? std::string(Trim(rest)) : std::string();
  }
  return values;
}

Texts QueryValues(const RequestHead& head, std::string_view name) {
  Texts values;
  std::string_view rest = QueryOf(head.target);
  while (!rest.empty()) {
    auto value = QueryValue(TakeUntil(rest, '&'), name);
    if (value) values.push_back(std::move(*value));
  }
  return values;
}

Texts CookieValues(const RequestHead& head, std::string_view name) {
  Texts values;
  for (const std::string& cookies : HeaderValues(head, "Cookie")) {
    std::string_view rest = cookies;
    while (!rest.empty()) {
      const Field one{.name = "Cookie", .value = TakeUntil(rest, ';')};
      auto value = CookieValue({one}, name);
      if (value) values.push_back(std::move(*value));
    }
  }
  return values;
}

Texts SubprotocolRests(const RequestHead& head, std::string_view prefix) {
  Texts values;
  for (const std::string& list : HeaderValues(head, "Sec-WebSocket-Protocol")) {
    std::string_view rest = list;
    while (!rest.empty()) {
      const std::string_view entry = Trim(TakeUntil(rest, ','));
      if (entry.starts_with(prefix)) values.emplace_back(entry.substr(prefix.size()));
    }
  }
  return values;
}

Texts TokensAt(const TokenPlace& place, const RequestHead& head) {
  switch (place.kind) {
    case TokenPlace::Kind::kBearer:
      return BearerTokens(head);
    case TokenPlace::Kind::kHeader:
      return HeaderValues(head, place.name);
    case TokenPlace::Kind::kQuery:
      return QueryValues(head, place.name);
    case TokenPlace::Kind::kCookie:
      return CookieValues(head, place.name);
    case TokenPlace::Kind::kSubprotocol:
      return SubprotocolRests(head, place.name);
  }
  return {};
}

}  // namespace

std::optional<std::string> FindToken(const std::vector<TokenPlace>& places,
                                     const RequestHead& head) {
  for (const TokenPlace& place : places) {
    Texts found = TokensAt(place, head);
    if (found.size() > 1) return std::nullopt;
    if (!found.empty() && !found.front().empty()) return std::move(found.front());
  }
  return std::nullopt;
}

}  // namespace connguard
