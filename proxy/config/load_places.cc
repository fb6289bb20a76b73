// A word, or a mapping with one key.
#include "config/load_places.h"

#include <algorithm>

#include "config/pattern.h"

namespace connguard {
namespace {

using Kind = TokenPlace::Kind;

constexpr Word<Kind> kNamed[] = {{"header", Kind::kHeader},
                                 {"query", Kind::kQuery},
                                 {"cookie", Kind::kCookie},
                                 {"subprotocol", Kind::kSubprotocol}};
constexpr const char* kExpected =
    "bearer, {header: NAME}, {query: NAME}, {cookie: NAME} or {subprotocol: PREFIX}";

// Nothing that no request could hold.
bool MayHold(Kind kind, std::string_view name) {
  return kind == Kind::kQuery ? !name.empty() : IsToken(name);
}

std::optional<TokenPlace> ReadPlace(Section& jwt, const Value& item) {
  const std::string_view key = "from";
  if (!item.node.IsMap()) {
    const std::optional<std::string> word = jwt.reader().Text(item, jwt.LabelOf(key));
    if (word && *word == "bearer") return TokenPlace{};
    if (word) {
      jwt.Error(item, key, "expected " + std::string(kExpected) + ", found " + Quoted(*word));
    }
    return std::nullopt;
  }
  Section place(jwt.reader(), item, jwt.PathOf(key), jwt.LabelOf(key));
  TokenPlace out;
  std::size_t keys = 0;
  bool sound = true;
  for (const Word<Kind>& word : kNamed) {
    if (!place.Find(word.text)) continue;
    ++keys;
    out.kind = word.value;
    sound = place.ReadText(word.text, out.name);
    if (sound && !MayHold(out.kind, out.name)) {
      place.Error(*place.Find(word.text), word.text,
                  Quoted(out.name) + " cannot be the " +
                      (out.kind == Kind::kSubprotocol ? "begin of a subprotocol"
                                                      : "name of a " + std::string(word.text)));
      sound = false;
    }
  }
  place.Finish();
  if (keys == 1) return sound ? std::optional(out) : std::nullopt;
  if (keys == 0 && item.node.size() > 0) return std::nullopt;  // reported as unknown
  jwt.Error(item, key, "expected one of " + std::string(kExpected));
  return std::nullopt;
}

}  // namespace

void ReadPlaces(Section& jwt, std::vector<TokenPlace>& out) {
  const std::string_view key = "from";
  const std::optional<Value> list = jwt.Find(key);
  if (!list) return;
  out.clear();
  for (const Value& item : jwt.reader().Items(*list, jwt.LabelOf(key))) {
    std::optional<TokenPlace> place = ReadPlace(jwt, item);
    if (!place) continue;
    const bool twice = std::ranges::any_of(out, [&](const TokenPlace& other) {
      return other.kind == place->kind && other.name == place->name;
    });
    if (twice) {
      jwt.Error(item, key, "the same place is there twice");
    } else {
      out.push_back(*std::move(place));
    }
  }
}

std::string FormatPlace(const TokenPlace& place, std::string (*quote)(std::string_view)) {
  const auto* const named = std::ranges::find(kNamed, place.kind, &Word<Kind>::value);
  if (named == std::end(kNamed)) return "bearer";
  return "{" + std::string(named->text) + ": " + quote(place.name) + "}";
}

}  // namespace connguard
