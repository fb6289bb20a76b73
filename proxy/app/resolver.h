// Resolver: keeps the upstreams' addresses known to the workers.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connguard/config.h"
#include "net/socket.h"

struct uv_loop_s;

namespace connguard {

// Host names are looked up by libuv's threads, never by a worker: once at the start, then every 30
// s, and every second while a name is not known. A failing look-up keeps the last known addresses.
// Literals and unix sockets are told once, before the constructor returns.
//
// Lives on the control thread.
class Resolver {
 public:
  using Callback = std::function<void(std::size_t upstream, std::vector<SocketAddress> addresses)>;

  Resolver(uv_loop_s* loop, const Config& config, Callback found);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Cancels what is under way. Run the loop until it is empty before destroying.
  void Stop();

 private:
  struct Lookup;

  Callback found_;
  std::vector<std::unique_ptr<Lookup>> lookups_;
};

}  // namespace connguard
