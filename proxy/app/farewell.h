// Farewell: the end of a client's leg, after the last words for it have been written.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "app/client.h"
#include "app/session.h"
#include "net/timing_wheel.h"
#include "ws/frame_scanner.h"

namespace connguard {

// How the WebSocket closing handshake of the leg stands.
struct ClosingHandshake {
  FrameScanner scanner;  // of what the client still sends
  bool close_received;
};

// Sends FIN – when all is written, or when the client's Close frame has come –, reads until the
// client's own FIN so that no reset destroys the last words on their way, and ends the leg when
// that takes too long. A client of HTTP that takes its answer slowly has limits.body_timeout for
// each step.
class Farewell : public Session {
 public:
  Farewell(Worker& worker, ClientLeg client, std::optional<ClosingHandshake> handshake,
           Millis patience);

  void Start() noexcept override;
  void OnCut() noexcept override {
    if (client_ && !handshake_ && client_.conn->queued() > 0) GiveUp();
  }
  void OnDrain(TimePoint /*at*/) noexcept override {}  // bounded by its own patience
  Bytes buffered() const override { return client_ ? client_.conn->queued() : 0; }
  void OnPressure() noexcept override { GiveUp(); }
  void OnConnected(Conn& conn) noexcept override;
  void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept override;
  void OnProgress(Conn& conn) noexcept override;
  void OnEnd(Conn& conn, ConnEnd end) noexcept override;

 private:
  void Arm();
  void GiveUp();

  ClientLeg client_;
  std::optional<ClosingHandshake> handshake_;
  Millis patience_;
  Timer timer_;
};

// Writes `last` to an HTTP client and sees it off. Does nothing when the client is gone.
void SayFarewell(Worker& worker, ClientLeg client, std::string_view last);

}  // namespace connguard
