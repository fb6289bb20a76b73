// Reception: a new client connection up to its whole request head, and where it goes from there.
#pragma once

#include <memory>
#include <string>

#include "admin/metrics.h"
#include "app/client.h"
#include "app/session.h"
#include "http/message.h"
#include "net/socket.h"
#include "net/timing_wheel.h"

namespace connguard {

// Reads one request head within limits.handshake_timeout and limits.header_size, finds the route,
// and hands the client to a WebSocketSession or an HttpSession, with every byte that came behind
// the head.
class Reception : public Session {
 public:
  // `full`: limits.connections is exceeded; the request is answered with 503.
  Reception(Worker& worker, Fd fd, std::string ip, std::unique_ptr<Presence> presence, bool full);

  void Start() noexcept override;
  void OnShutdown() noexcept override;
  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  void Dispatch(std::span<const std::uint8_t> rest);
  void Refuse(int status, std::string_view why, HandshakeResult result);

  Fd fd_;
  Client client_;
  bool full_;
  bool heard_ = false;  // some byte of a request has come
  RequestReader reader_;
  Timer timer_;
};

}  // namespace connguard
