// The address grammar: what may stand before and behind the port.
#include "config/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "config/cidr.h"

namespace connguard {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::size_t kLongestName = 253;  // RFC 1035 §2.3.4

Parsed<Address> Fail(std::string why) { return Parsed<Address>::Failed(std::move(why)); }

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool IsLiteral(int family, std::string_view text) {
  in6_addr storage{};
  return inet_pton(family, std::string(text).c_str(), &storage) == 1;
}

Parsed<Address> ParseUnix(std::string_view path) {
  if (!path.starts_with('/')) return Fail("the path of a unix socket must start with '/'");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Fail("the path of a unix socket can have " +
                std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes at most");
  }
  return Parsed<Address>::Of({.host = {}, .port = 0, .path = std::string(path)});
}

// Where the host ends and its port begins: npos when there is no port.
std::size_t PortColon(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close + 1 == text.size()) return std::string_view::npos;
    return text[close + 1] == ':' ? close + 1 : std::string_view::npos;
  }
  return text.rfind(':');
}

std::string HostError(std::string_view host) {
  if (host.empty() || host == "*") return "has no host; 0.0.0.0 is every IPv4 interface";
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || !IsLiteral(AF_INET6, host.substr(1, host.size() - 2))) {
      return Quoted(host) + " is not an IPv6 address";
    }
    return {};
  }
  if (host.find(':') != std::string_view::npos) {
    return "an IPv6 address stands in brackets, as in [::1]:8080";
  }
  return IsHost(host) ? std::string() : Quoted(host) + " is not a host";
}

}  // namespace

bool IsLocal(const Address& address) {
  if (address.is_unix() || address.host == "localhost") return true;
  const std::optional<IpAddress> ip = ParseIp(address.host);
  if (!ip) return false;
  constexpr std::uint8_t kLoopbackNet = 127;
  if (!ip->v6) return ip->bytes[0] == kLoopbackNet;
  IpAddress loopback{.v6 = true, .bytes = {}};
  loopback.bytes.back() = 1;
  return *ip == loopback;
}

bool IsHost(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || text.size() > kLongestName || text.starts_with('.')) return false;
  const bool numeric = std::ranges::all_of(text, [&](char c) { return is_digit(c) || c == '.'; });
  if (numeric) return IsLiteral(AF_INET, text);
  return text.find("..") == std::string_view::npos && std::ranges::all_of(text, [&](char c) {
           return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '_';
         });
}

Parsed<Address> ParseAddress(std::string_view text, bool any_port) {
  if (text.starts_with(kUnix)) return ParseUnix(text.substr(kUnix.size()));
  const std::size_t colon = PortColon(text);
  if (colon == std::string_view::npos) {
    return Fail("expected host:port, [v6]:port or unix:/path, found " + Quoted(text));
  }
  std::string_view host = text.substr(0, colon);
  if (std::string error = HostError(host); !error.empty()) return Fail(std::move(error));

  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = failure == std::errc() && end == digits.data() + digits.size();
  if (!whole || (port == 0 && !any_port)) {
    return Fail("the port must be from " + std::string(any_port ? "0" : "1") + " to 65535, found " +
                Quoted(digits));
  }
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return Parsed<Address>::Of({.host = std::string(host), .port = port, .path = {}});
}

bool IsHttps(std::string_view url) { return url.starts_with(kHttps); }

Parsed<Address> ParseUpstreamUrl(std::string_view url) {
  if (url.starts_with(kUnix)) return ParseUnix(url.substr(kUnix.size()));
  const bool https = IsHttps(url);
  if (!https && !url.starts_with(kHttp)) {
    return Fail("expected http://host:port, https://host:port or unix:/path, found " + Quoted(url));
  }
  std::string_view authority = url.substr(https ? kHttps.size() : kHttp.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find_first_of("/?#") != std::string_view::npos) {
    return Fail("a path in the URL is not supported: the client's own path goes upstream");
  }
  if (authority.find('@') != std::string_view::npos) {
    return Fail("a user in the URL is not supported");
  }
  if (PortColon(authority) != std::string_view::npos) return ParseAddress(authority, false);
  return ParseAddress(std::string(authority) + (https ? ":443" : ":80"), false);
}

std::string Address::ToString() const {
  if (is_unix()) return std::string(kUnix) + path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace connguard
