// Durations, sizes and numbers as the configuration writes them, both ways. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/parsed.h"
#include "connguard/types.h"

namespace connguard {

// 500ms, 1.5s, 2m, 1h, or a bare 0. Nothing finer than a millisecond.
Parsed<Millis> ParseDuration(std::string_view text);
std::string FormatDuration(Millis duration);

// 512B, 32KiB, 1.5MiB, 1GiB, or a bare 0.
Parsed<Bytes> ParseSize(std::string_view text);
std::string FormatSize(Bytes size);

// Decimal digits only.
Parsed<std::uint64_t> ParseCount(std::string_view text);

}  // namespace connguard
