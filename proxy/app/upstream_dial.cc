// Addresses come resolved from the control thread; dialling never blocks.
#include "app/upstream_dial.h"

#include <utility>

#include "app/worker.h"
#include "log/log.h"

namespace connguard {

std::string HostOf(const UpstreamConfig& upstream) {
  return upstream.address.is_unix() ? "localhost" : upstream.address.ToString();
}

std::unique_ptr<Conn> UpstreamDial::Next(ConnHandler* handler) {
  const std::vector<SocketAddress>& addresses = generation_.places[upstream_]->resolved;
  while (attempt_ < addresses.size()) {
    bool connected = false;  // at once, where the upstream is on this machine
    Fd fd = Dial(addresses[attempt_++], &connected);
    if (!fd) continue;
    const auto& tls = generation_.credentials->upstreams[upstream_];
    std::unique_ptr<Conn> conn = worker_.transport().Adopt(
        std::move(fd), handler, connected ? Adopted::kConnected : Adopted::kConnecting,
        tls != nullptr ? tls->Connect() : nullptr);
    deadline_ = worker_.now() + generation_.config->upstreams[upstream_].connect_timeout;
    return conn;
  }
  deadline_ = kNever;
  return nullptr;
}

void UpstreamDial::Done(const Conn& conn) {
  deadline_ = kNever;
  worker_.CountTlsHandshake(Side::kUpstream, conn);
}

bool UpstreamDial::Failed(const Conn& conn, ConnEnd end) {
  if (deadline_ == kNever) return false;
  if (end == ConnEnd::kTlsFailed) {
    worker_.metrics().tls_handshakes[Side::kUpstream][TlsHandshake::kFailed].Add();
    Log(LogLevel::kWarn, "upstream_tls_failed",
        {{"upstream", generation_.config->upstreams[upstream_].name}, {"why", conn.tls_error()}});
  }
  return true;
}

}  // namespace connguard
