// Staged shutdown of a client's leg: flush, FIN, the peer's FIN.
#include "app/farewell.h"

#include <span>
#include <utility>

#include "app/worker.h"

namespace connguard {

namespace {

// From the last byte written: an HTTP client that was told `Connection: close` leaves meanwhile.
constexpr Millis kHttpPatience{5'000};

}  // namespace

Farewell::Farewell(Worker& worker, ClientLeg client, std::optional<ClosingHandshake> handshake,
                   Millis patience)
    : Session(worker),
      client_(std::move(client)),
      handshake_(std::move(handshake)),
      patience_(patience),
      timer_([](void* self) noexcept { static_cast<Farewell*>(self)->GiveUp(); }, this) {}

void Farewell::Start() noexcept {
  client_.conn->set_handler(this);
  client_.conn->Resume();
  if (!handshake_ || handshake_->close_received) client_.conn->FinishWriting();
  Arm();
}

void Farewell::Arm() {
  const bool writing = !handshake_ && client_.conn->queued() > 0;
  const Millis patience = writing ? worker_.config().limits.body_timeout : patience_;
  worker_.loop().timers().Arm(timer_, worker_.now() + patience);
}

void Farewell::OnConnected(Conn& /*conn*/) noexcept {}

void Farewell::OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept {
  if (!handshake_ || handshake_->close_received) return;
  while (true) {
    const Piece piece = handshake_->scanner.Next(data);
    if (piece.kind == Piece::Kind::kNone) return;
    const bool over = piece.kind == Piece::Kind::kError ||
                      (piece.kind == Piece::Kind::kControl && piece.opcode == Opcode::kClose);
    if (!over) continue;
    handshake_->close_received = true;
    conn.FinishWriting();
    return;
  }
}

void Farewell::OnProgress(Conn& /*conn*/) noexcept {
  if (client_ && !handshake_) Arm();
}

void Farewell::OnEnd(Conn& /*conn*/, ConnEnd /*end*/) noexcept {
  client_.Drop();
  Retire();
}

void Farewell::GiveUp() {
  if (!client_) return;
  // What is written may still be on its way to a slow reader: a reset would destroy it.
  const bool written = !handshake_ && client_.conn->queued() == 0;
  if (!written) client_.conn->Reset();
  client_.Drop();
  Retire();
}

void SayFarewell(Worker& worker, ClientLeg client, std::string_view last) {
  if (!client) return;
  client.conn->SendLast(AsBytes(last));
  worker.Admit(std::make_unique<Farewell>(worker, std::move(client), std::nullopt, kHttpPatience));
}

}  // namespace connguard
