// Makes JSON of values that are sound by RFC 8259 but fit no machine type readable for simdjson.
#pragma once

#include <span>

namespace connguard {

// In place: numbers become 0, escaped surrogates become other characters. Text that is not JSON
// does not become JSON by it.
void ReplaceOddValues(std::span<char> text);

}  // namespace connguard
