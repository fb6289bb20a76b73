// Addresses as the configuration writes them. No yaml-cpp here: the command line reads them too.
#pragma once

#include <string_view>

#include "config/parsed.h"
#include "connguard/config.h"

namespace connguard {

// host:port, [v6]:port or unix:/path. The host is a name or a literal and is not looked up; port 0
// is an error unless `any_port`. See Address::ToString for the way back.
Parsed<Address> ParseAddress(std::string_view text, bool any_port);

// http://host:port, https://host:port or unix:/path, as `upstreams.url`; the port may be left out
// (80 and 443).
Parsed<Address> ParseUpstreamUrl(std::string_view url);

// True for a URL whose upstream speaks TLS.
bool IsHttps(std::string_view url);

// A unix socket, localhost, 127.0.0.0/8 or ::1: what only this machine can reach. Other names are
// not looked up, and do not count.
bool IsLocal(const Address& address);

// A host as it stands in an address or in `match.host`: a DNS name or an IPv4 literal.
bool IsHost(std::string_view text);

}  // namespace connguard
