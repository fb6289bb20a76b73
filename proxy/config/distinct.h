// Lists in which nothing stands twice.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/parsed.h"
#include "config/section.h"

namespace connguard {

// `parse` makes a Parsed<T> of an item's text. What it does not understand, and what is the `same`
// as an item before it, is reported where it stands and left out.
template <typename T, typename Parse, typename Same = std::equal_to<>>
void TakeDistinct(Section& section, std::string_view key, const std::vector<Value>& items,
                  std::vector<T>& out, Parse parse, Same same = {}) {
  for (const Value& item : items) {
    const std::optional<std::string> text = section.reader().Text(item, section.LabelOf(key));
    if (!text) continue;
    Parsed<T> parsed = parse(*text);
    if (!parsed) {
      section.Error(item, key, parsed.error);
    } else if (std::ranges::any_of(out, [&](const T& one) { return same(one, *parsed.value); })) {
      section.Error(item, key, Quoted(*text) + " is there twice");
    } else {
      out.push_back(*std::move(parsed.value));
    }
  }
}

// The list that is the value of `key`, which may be absent or empty.
template <typename T, typename Parse, typename Same = std::equal_to<>>
void ReadDistinct(Section& section, std::string_view key, std::vector<T>& out, Parse parse,
                  Same same = {}) {
  const std::optional<Value> list = section.Find(key);
  if (!list) return;
  TakeDistinct(section, key, section.reader().ItemsOrNone(*list, section.LabelOf(key)), out, parse,
               same);
}

// For texts that may be anything but empty: `why` says then what is wanted.
inline Parsed<std::string> NonEmpty(const std::string& text, const char* why) {
  return text.empty() ? Parsed<std::string>::Failed(why) : Parsed<std::string>::Of(text);
}

}  // namespace connguard
