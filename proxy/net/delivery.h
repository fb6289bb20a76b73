// Delivery: how far the peer's system has taken what it was sent.
#pragma once

#include <cstdint>

#include "connguard/types.h"

namespace connguard {

struct Delivery {
  std::uint64_t acknowledged = 0;  // bytes, since the connection began; 0 on unix sockets
  Bytes outstanding = 0;           // sent or queued in the kernel, and not acknowledged
  // The peer's system itself has not answered for several retransmissions. A full window is no such
  // silence: then its system answers, and its program is slow.
  bool silent = false;
};

// Two system calls. Zeros for a socket that knows nothing of the kind.
Delivery DeliveryOf(int fd);

}  // namespace connguard
