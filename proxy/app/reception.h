// Reception: a client connection up to its next whole request head, and where it goes from there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/metrics.h"
#include "app/client.h"
#include "app/session.h"
#include "config/proxy_protocol.h"
#include "http/message.h"
#include "net/socket.h"
#include "net/timing_wheel.h"

namespace connguard {

// Reads a PROXY header where the listener wants one, then one request head within
// limits.handshake_timeout and limits.header_size, finds the route, and hands the client to a
// WebSocketSession or an HttpSession, with every byte that came behind the head. An HttpSession
// hands it on to a new Reception, which waits limits.keepalive_timeout for the next request.
class Reception : public Session {
 public:
  // A new connection. `full`: limits.connections is exceeded; the request is answered with 503.
  Reception(Worker& worker, Fd fd, Client client, bool full);
  // A connection whose last request has its whole answer; `early`: what came behind that request.
  Reception(Worker& worker, Client client, std::vector<std::uint8_t> early);

  void Start() noexcept override;
  void OnDrain(TimePoint at) noexcept override;
  Bytes buffered() const override { return client_ ? client_.conn->queued() : 0; }
  void OnPressure() noexcept override { Leave(); }
  void OnConnected(Conn& /*conn*/) noexcept override {}
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  // Whether there is room for a new connection; who has none is told so behind its first bytes.
  enum class Door : std::uint8_t { kOpen, kFull, kAddressFull, kTooFast };

  bool Begin();
  void ReadProxyHeader(std::span<const std::uint8_t> data);
  void RefuseProxy(std::string_view why);
  void KnowAddress();
  Door Knock(const std::string& ip);
  void RefuseAtDoor();
  void CountTls();
  void NoteTlsEnd(const std::string& why);
  bool ReadsTooLittle() const;
  void Read(std::span<const std::uint8_t> data);
  void Dispatch(std::span<const std::uint8_t> rest);
  void Refuse(int status, std::string_view why, HandshakeResult result, int retry_after = 0);
  void TimeOut();
  void Leave();

  Fd fd_;
  Client client_;
  Door door_ = Door::kOpen;
  std::optional<ProxyHeaderReader> proxy_;  // its header is still to come
  bool tls_counted_ = false;
  bool first_;                       // request of this connection
  bool heard_ = false;               // some byte of the request has come
  std::vector<std::uint8_t> early_;  // not looked at yet
  RequestReader reader_;
  Timer timer_;
};

}  // namespace connguard
