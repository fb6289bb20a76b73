// The scalars of JSON by their grammar (RFC 8259 §6, §7), whatever their value.
#pragma once

#include <string_view>

namespace connguard {

// JSON's white space around `text` removed.
std::string_view TrimJson(std::string_view text);

// True when all of `token` is one string, number, true, false or null. UTF-8 is not checked.
bool IsJsonScalar(std::string_view token);

// True when `raw`, behind its opening quote, is a string up to an unescaped quote; `size` is then
// the number of characters before that quote.
bool IsJsonString(std::string_view raw, std::size_t& size);

}  // namespace connguard
