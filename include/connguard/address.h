// Address: where to listen or to connect.
#pragma once

#include <cstdint>
#include <string>

namespace connguard {

// Where to listen or to connect: host:port, [v6]:port or unix:/path.
struct Address {
  std::string host;        // name or literal without brackets; empty for a unix socket
  std::uint16_t port = 0;  // 0: any free port (listeners only)
  std::string path;        // of a unix socket; otherwise empty

  bool is_unix() const { return !path.empty(); }
  std::string ToString() const;  // as in the configuration
  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace connguard
