// The grammar of networks, and the walk along X-Forwarded-For.
#include "config/cidr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "http/text.h"

namespace connguard {
namespace {

using AddressBytes = std::array<std::uint8_t, 16>;

constexpr unsigned kV4Bits = 32;
constexpr unsigned kV6Bits = 128;
constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, which holds the v4-mapped addresses
constexpr unsigned kLargestPort = 65'535;

Parsed<Cidr> Fail(std::string why) { return Parsed<Cidr>::Failed(std::move(why)); }

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool IsMapped(const AddressBytes& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) &&
         bytes[10] == 0xFF && bytes[11] == 0xFF;
}

// Without the bits behind the first `prefix`.
AddressBytes Masked(AddressBytes bytes, unsigned prefix) {
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = prefix > 8 * i ? std::min(prefix - 8 * i, 8U) : 0;
    bytes[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
  return bytes;
}

std::string Format(bool v6, const AddressBytes& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof(text));
  return text;
}

// The whole of `digits` as a number up to `most`.
std::optional<unsigned> ParseNumber(std::string_view digits, unsigned most) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = failure == std::errc() && end == digits.data() + digits.size();
  return whole && number <= most ? std::optional(number) : std::nullopt;
}

// An element of X-Forwarded-For. Its port says nothing about the client, but it has to be one.
std::optional<IpAddress> ParseHop(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
  }
  const bool sound_port =
      port.empty() || (port.starts_with(':') && ParseNumber(port.substr(1), kLargestPort));
  return sound_port ? ParseIp(host) : std::nullopt;
}

// The elements of all X-Forwarded-For fields, the last one first.
std::vector<std::string_view> HopsBack(const std::vector<Field>& fields) {
  std::vector<std::string_view> hops;
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (!EqualsIgnoringCase(field->name, "X-Forwarded-For")) continue;
    std::string_view rest = field->value;
    std::size_t comma = 0;
    do {
      comma = rest.rfind(',');
      hops.push_back(Trim(rest.substr(comma + 1)));  // npos + 1 is 0
      rest = rest.substr(0, comma);
    } while (comma != std::string_view::npos);
  }
  return hops;
}

bool IsTrustedAddress(const std::vector<Cidr>& trusted, const IpAddress& address) {
  return std::ranges::any_of(trusted, [&](const Cidr& block) { return Contains(block, address); });
}

}  // namespace

std::optional<IpAddress> ParseIp(std::string_view text) {
  // inet_pton would stop at a NUL and call what stands before it an address.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  IpAddress address;
  address.v6 = text.find(':') != std::string_view::npos;
  const int family = address.v6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, std::string(text).c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address.v6 ? IpAddress::OfV6(address.bytes) : address;
}

IpAddress IpAddress::OfV6(const std::array<std::uint8_t, 16>& bytes) {
  if (!IsMapped(bytes)) return {.v6 = true, .bytes = bytes};
  IpAddress v4;
  std::copy(bytes.begin() + kMappedBits / 8, bytes.end(), v4.bytes.begin());
  return v4;
}

std::string IpAddress::ToString() const { return Format(v6, bytes); }

Parsed<Cidr> ParseCidr(const std::string& text) {
  const std::string ip = text.substr(0, text.find('/'));
  const std::optional<IpAddress> address = ParseIp(ip);
  if (!address) {
    return Fail("expected an address or a network such as 10.0.0.0/8 or fd00::/8, found " +
                Quoted(text));
  }
  // The prefix of a v4-mapped network counts from the v6 address's begin.
  const bool mapped = !address->v6 && ip.find(':') != std::string::npos;
  const unsigned least = mapped ? kMappedBits : 0;
  const unsigned most = address->v6 || mapped ? kV6Bits : kV4Bits;
  unsigned prefix = most;
  if (ip.size() < text.size()) {
    const std::string digits = text.substr(ip.size() + 1);
    const std::optional<unsigned> written = ParseNumber(digits, most);
    if (!written || *written < least) {
      return Fail("the prefix must be from " + std::to_string(least) + " to " +
                  std::to_string(most) + ", found " + Quoted(digits));
    }
    prefix = *written;
  }
  prefix -= least;
  Cidr block{.v6 = address->v6, .network = Masked(address->bytes, prefix), .prefix = prefix};
  if (block.network != address->bytes) {
    return Fail(Quoted(text) + " has host bits set; did you mean " + Quoted(block.ToString()) +
                "?");
  }
  return Parsed<Cidr>::Of(block);
}

std::string Cidr::ToString() const { return Format(v6, network) + "/" + std::to_string(prefix); }

bool Contains(const Cidr& block, const IpAddress& address) {
  return block.v6 == address.v6 && Masked(address.bytes, block.prefix) == block.network;
}

bool IsTrusted(const std::vector<Cidr>& trusted, std::string_view ip) {
  if (trusted.empty()) return false;  // with every request
  const std::optional<IpAddress> address = ParseIp(ip);
  return address && IsTrustedAddress(trusted, *address);
}

std::string ClientAddress(const std::vector<Field>& fields, std::string_view peer,
                          const std::vector<Cidr>& trusted) {
  std::string client(peer);
  if (!IsTrusted(trusted, peer)) return client;
  for (const std::string_view hop : HopsBack(fields)) {
    const std::optional<IpAddress> address = ParseHop(hop);
    if (!address) return client;
    client = address->ToString();
    if (!IsTrustedAddress(trusted, *address)) return client;
  }
  return client;
}

}  // namespace connguard
