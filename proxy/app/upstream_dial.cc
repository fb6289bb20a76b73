// Addresses come resolved from the control thread; dialling never blocks.
#include "app/upstream_dial.h"

#include "app/worker.h"

namespace connguard {

std::string HostOf(const UpstreamConfig& upstream) {
  return upstream.address.is_unix() ? "localhost" : upstream.address.ToString();
}

std::unique_ptr<Conn> UpstreamDial::Next(ConnHandler* handler) {
  const std::vector<SocketAddress>& addresses = generation_.places[upstream_]->resolved;
  while (attempt_ < addresses.size()) {
    Fd fd = Dial(addresses[attempt_++]);
    if (!fd) continue;
    std::unique_ptr<Conn> conn = worker_.transport().Adopt(fd.Take(), handler, true);
    if (conn == nullptr) continue;
    deadline_ = worker_.now() + generation_.config->upstreams[upstream_].connect_timeout;
    return conn;
  }
  deadline_ = kNever;
  return nullptr;
}

}  // namespace connguard
