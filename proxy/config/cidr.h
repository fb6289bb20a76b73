// Addresses and networks, and what trusted proxies say of who the client is. No yaml-cpp here: the
// data path asks for every request. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/parsed.h"
#include "connguard/cidr.h"
#include "http/message.h"

namespace connguard {

struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // v4: the first four

  // A v4-mapped address is v4.
  static IpAddress OfV6(const std::array<std::uint8_t, 16>& bytes);
  std::string ToString() const;  // as inet_ntop writes it

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// `192.0.2.7`, `2001:db8::1`; a v4-mapped v6 address is v4. Nothing else: no port, no brackets, no
// zone.
std::optional<IpAddress> ParseIp(std::string_view text);

// As `listeners.trusted_proxies`: a network whose host bits are zero, or an address, which is a
// network of its own. A v4-mapped network is v4. See Cidr::ToString for the way back.
Parsed<Cidr> ParseCidr(const std::string& text);

bool Contains(const Cidr& block, const IpAddress& address);

// False for text that is no address, such as the name of a unix socket's peer.
bool IsTrusted(const std::vector<Cidr>& trusted, std::string_view ip);

// The client as trusted proxies tell it. Each hop adds its own peer at the end of X-Forwarded-For,
// so the fields' elements are taken from the last one back, each on the word of the hop behind it:
// the first that is not trusted is the client, and what stands before it is only what that client
// says. When all are trusted, it is the first element; an element that is no address (an empty one
// too) ends the walk at the hop before it. `peer` when it is not trusted itself.
//
// Elements are `v4`, `v6`, `v4:port`, `[v6]` or `[v6]:port`; the answer is as inet_ntop writes it.
std::string ClientAddress(const std::vector<Field>& fields, std::string_view peer,
                          const std::vector<Cidr>& trusted);

}  // namespace connguard
