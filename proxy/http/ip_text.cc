// The grammars of RFC 4291 and RFC 5952.
#include "http/ip_text.h"

#include <algorithm>
#include <charconv>

#include "http/text.h"

namespace connguard {
namespace {

constexpr std::size_t kGroups = 8;  // of 16 bits, in an IPv6 address

using Groups = std::array<std::uint16_t, kGroups>;

struct Run {
  std::size_t begin = kGroups;
  std::size_t length = 0;
};

// The first of the longest runs of zero groups; a single one is not shortened.
Run LongestZeros(const Groups& groups) {
  Run best;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i > best.length) best = {i, end - i};
    i = end + 1;
  }
  return best.length >= 2 ? best : Run{};
}

std::string Hex(std::uint16_t group) {
  std::array<char, 4> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), group, 16).ptr;
  return {digits.data(), end};
}

// Takes a group of one to four hex digits off the front of `text`.
std::optional<std::uint16_t> TakeGroup(std::string_view& text) {
  std::uint16_t group = 0;
  const std::string_view digits = text.substr(0, 4);
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), group, 16);
  if (failure != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - digits.data()));
  return group;
}

// Groups between colons, the last two perhaps dotted. Appends to `out` from `count` on.
bool ParseGroups(std::string_view text, Groups& out, std::size_t& count) {
  if (text.empty()) return true;
  while (true) {
    const std::string_view item = text.substr(0, text.find(':'));
    if (item.size() == text.size() && item.find('.') != std::string_view::npos) {
      const auto v4 = ParseIpv4(item);
      if (!v4 || count + 2 > kGroups) return false;
      out[count++] = static_cast<std::uint16_t>((*v4)[0] << 8 | (*v4)[1]);
      out[count++] = static_cast<std::uint16_t>((*v4)[2] << 8 | (*v4)[3]);
      return true;
    }
    const std::optional<std::uint16_t> group = TakeGroup(text);
    if (!group || count == kGroups) return false;
    out[count++] = *group;
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
  }
}

}  // namespace

std::optional<std::array<std::uint8_t, 4>> ParseIpv4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::string_view item = text.substr(0, text.find('.'));
    const auto [end, failure] = std::from_chars(item.data(), item.data() + item.size(), bytes[i]);
    const bool whole = failure == std::errc() && end == item.data() + item.size();
    if (!whole || (item.size() > 1 && item.front() == '0')) return std::nullopt;
    text.remove_prefix(item.size());
    if (i + 1 == bytes.size()) break;
    if (text.empty()) return std::nullopt;
    text.remove_prefix(1);
  }
  return text.empty() ? std::optional(bytes) : std::nullopt;
}

std::optional<std::array<std::uint8_t, 16>> ParseIpv6(std::string_view text) {
  Groups before{};
  Groups after{};
  std::size_t before_count = 0;
  std::size_t after_count = 0;
  const std::size_t gap = text.find("::");
  const bool shortened = gap != std::string_view::npos;
  const std::string_view head = text.substr(0, gap);
  if (text.empty() || (shortened && head.find('.') != std::string_view::npos)) return std::nullopt;
  if (!ParseGroups(head, before, before_count)) return std::nullopt;
  if (shortened && !ParseGroups(text.substr(gap + 2), after, after_count)) return std::nullopt;
  const std::size_t count = before_count + after_count;
  if (shortened ? count >= kGroups : count != kGroups) return std::nullopt;
  std::copy_n(after.begin(), after_count, before.end() - static_cast<std::ptrdiff_t>(after_count));
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(before[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(before[i]);
  }
  return bytes;
}

std::string FormatIpv4(std::span<const std::uint8_t, 4> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += (text.empty() ? "" : ".") + std::to_string(byte);
  return text;
}

std::string FormatIpv6(std::span<const std::uint8_t, 16> bytes) {
  Groups groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const Run zeros = LongestZeros(groups);
  std::string dotted = FormatIpv4(bytes.last<4>());
  if (zeros.begin == 0 && zeros.length == 5 && groups[5] == 0xFFFF) return dotted;
  if (zeros.begin == 0 && zeros.length == 6) return "::" + dotted;  // RFC 4291 §2.5.5.1
  std::string text;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i == zeros.begin) text += "::";
    if (i >= zeros.begin && i < zeros.begin + zeros.length) continue;
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += Hex(groups[i]);
  }
  return text;
}

}  // namespace connguard
