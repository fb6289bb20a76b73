// Resolver: knows where upstreams are.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "connguard/config.h"
#include "net/socket.h"

struct uv_loop_s;

namespace connguard {

// Host names are looked up by libuv's threads, never by a worker: once at the start, then every 30
// s, and every second while a name is not known. A failing look-up keeps the last known addresses.
//
// Lives on the control thread.
class Resolver {
 public:
  // Called for each look-up that has an answer, and for each that has failed for the first time
  // (`addresses` is empty then).
  using Callback =
      std::function<void(const Address& upstream, const std::vector<SocketAddress>& addresses)>;

  Resolver(uv_loop_s* loop, Callback found);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Begins to look for those of `config`'s upstreams that are not known yet.
  void Add(const Config& config);
  // Forgets all but `config`'s.
  void KeepOnly(const Config& config);

  // Where the upstream is; empty: not known (yet). Literals and unix sockets always are.
  std::vector<SocketAddress> Find(const Address& upstream) const;
  // Every one of `config`'s upstreams is known, or has at least been looked for.
  bool Tried(const Config& config) const;
  bool Knows(const Config& config) const;

  // Cancels what is under way. Run the loop until it is empty before destroying.
  void Stop();

 private:
  struct Lookup;

  Lookup* LookupOf(const Address& upstream) const;

  uv_loop_s* loop_;
  Callback found_;
  // A look-up frees itself when libuv has let go of it.
  std::vector<Lookup*> lookups_;
};

}  // namespace connguard
