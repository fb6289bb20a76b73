// Cidr: a block of IP addresses, v4 or v6.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace connguard {

// `10.0.0.0/8`, `fd00::/8`. A v4 block never holds a v6 address; a v4-mapped v6 address counts as
// v4.
struct Cidr {
  bool v6 = false;
  std::array<std::uint8_t, 16> network{};  // v4: the first four; host bits are zero
  unsigned prefix = 0;                     // bits

  std::string ToString() const;  // as in the configuration
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

}  // namespace connguard
