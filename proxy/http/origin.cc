// Origins are compared as what they name: no case, and the scheme's port where none is said.
#include "http/origin.h"

#include <algorithm>
#include <charconv>

#include "http/text.h"

namespace connguard {
namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035 §2.3.4

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), ToLowerAscii);
  return lower;
}

// RFC 3986 §3.1.
bool IsScheme(std::string_view text) {
  return !text.empty() && IsAlphanumeric(text.front()) && !IsDigit(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return IsAlphanumeric(c) || c == '+' || c == '-' || c == '.'; });
}

bool IsHostName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestHost && !text.starts_with('.') &&
         text.find("..") == std::string_view::npos && std::ranges::all_of(text, [](char c) {
           return IsAlphanumeric(c) || c == '.' || c == '-' || c == '_';
         });
}

bool IsIpv6(std::string_view text) {
  if (text.size() < 4 || !text.starts_with('[') || !text.ends_with(']')) return false;
  const std::string_view inside = text.substr(1, text.size() - 2);
  return inside.find(':') != std::string_view::npos && std::ranges::all_of(inside, [](char c) {
           const char lower = ToLowerAscii(c);
           return IsDigit(c) || (lower >= 'a' && lower <= 'f') || c == ':' || c == '.';
         });
}

std::optional<std::uint16_t> ParsePort(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = failure == std::errc() && end == digits.data() + digits.size();
  return whole && port != 0 ? std::optional(port) : std::nullopt;
}

bool Matches(const OriginPattern& pattern, const OriginPattern& origin) {
  if (pattern.scheme != origin.scheme || pattern.port != origin.port) return false;
  if (!pattern.any_subdomain) return pattern.host == origin.host;
  const std::string_view host = origin.host;
  return host.size() > pattern.host.size() + 1 && host.ends_with(pattern.host) &&
         host[host.size() - pattern.host.size() - 1] == '.';
}

}  // namespace

std::uint16_t DefaultPort(std::string_view scheme) {
  if (scheme == "http") return 80;
  return scheme == "https" ? 443 : 0;
}

std::optional<OriginPattern> ParseOrigin(std::string_view text) {
  if (text == "null") return OriginPattern{};
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos || !IsScheme(text.substr(0, mark))) return std::nullopt;
  OriginPattern origin;
  origin.scheme = Lower(text.substr(0, mark));
  origin.port = DefaultPort(origin.scheme);
  std::string_view host = text.substr(mark + 3);
  const std::size_t literal = host.starts_with('[') ? host.find(']') : 0;
  if (literal == std::string_view::npos) return std::nullopt;
  if (const std::size_t colon = host.find(':', literal); colon != std::string_view::npos) {
    const std::optional<std::uint16_t> port = ParsePort(host.substr(colon + 1));
    if (!port) return std::nullopt;
    origin.port = *port;
    host = host.substr(0, colon);
  }
  if (!IsHostName(host) && !IsIpv6(host)) return std::nullopt;
  origin.host = Lower(host);
  return origin;
}

bool OriginAllowed(const std::vector<OriginPattern>& patterns, const RequestHead& head) {
  if (patterns.empty()) return true;
  const std::size_t said = Count(head.fields, "Origin");
  if (said != 1) return said == 0;
  const std::optional<OriginPattern> origin = ParseOrigin(*Find(head.fields, "Origin"));
  return origin && std::ranges::any_of(patterns, [&](const OriginPattern& pattern) {
           return Matches(pattern, *origin);
         });
}

}  // namespace connguard
