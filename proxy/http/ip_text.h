// IP addresses as text and back, for parsers that do without the system's headers. Pure; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace connguard {

// Dotted decimal without leading zeros, as inet_pton takes it.
std::optional<std::array<std::uint8_t, 4>> ParseIpv4(std::string_view text);
// RFC 4291 §2.2, with `::` and a dotted end; no zone, no brackets.
std::optional<std::array<std::uint8_t, 16>> ParseIpv6(std::string_view text);

// RFC 5952, as inet_ntop writes it; but a v4-mapped address (::ffff:a.b.c.d) is the v4 address.
std::string FormatIpv4(std::span<const std::uint8_t, 4> bytes);
std::string FormatIpv6(std::span<const std::uint8_t, 16> bytes);

}  // namespace connguard
