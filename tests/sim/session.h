// One client and what its worker does for it: ask the fence, run the tunnel, obey the effects.
#pragma once

#include <cstdint>
#include <optional>

#include "agenda.h"
#include "backend.h"
#include "connguard/fence.h"
#include "connguard/heartbeat.h"
#include "connguard/tunnel.h"
#include "judge.h"
#include "plan.h"

namespace connguard::sim {

// Mistakes of the glue, to see that the simulation would notice.
enum class Fault : std::uint8_t {
  kNone,
  kReleasesOnDrop,       // the key is free as soon as the client is gone
  kKeepsLateGrants,      // a grant for a client that has left is not given back
  kTakesTokensForFinal,  // any message ends a turn
  kForgetsItsTimer,      // the tunnel's time-outs are never applied
};

// The way from a session to the fence of its key, on another worker or not.
class FencePort {
 public:
  virtual void Acquire(std::uint64_t ticket, OnConflict policy) = 0;
  virtual void Abandon(std::uint64_t ticket) = 0;
  virtual void Dropped(Epoch epoch) = 0;
  virtual void Answered(Epoch epoch) = 0;
  virtual void Release(Epoch epoch) = 0;

 protected:
  ~FencePort() = default;
};

class Session final : public UpstreamEvents {
 public:
  struct Surroundings {
    Agenda& agenda;
    Dice& dice;
    Judge& judge;
    FencePort& fence;
    Fault fault;
  };

  Session(std::uint64_t ticket, const Plan& plan, const Surroundings& around);

  // The client asks for its WebSocket.
  void Start();
  // The fence said this about the session's ticket.
  void Hear(const FenceEffect& effect);

  // What must be true when nothing can happen any more.
  void CheckOver() const;

 private:
  enum class Client : std::uint8_t {
    kAsking,  // no answer yet
    kOpen,    // 101
    kGone,    // refused, ended or left
  };

  void OnReady() override;
  void OnUpstreamMessage(bool final) override;
  void OnUpstreamClose() override;
  void OnUpstreamFault() override;
  void OnUpstreamGone(CloseCause cause) override;
  void OnBarrier() override;

  void Granted(Epoch epoch);
  void Evicted();
  void Probed();
  void AnswerProbe();
  void WaitIsOver();
  void Answer(int status);

  void ScheduleMessages();
  void SendMessage();
  void PassMessagesOn();
  void ScheduleDrop(Millis delay);
  void Drop();
  void LeavesAsking();
  void ClientGone(CloseCause cause, CloseCode code);
  void Beat();

  void AfterTunnel();
  void Obey(const TunnelEffect& effect);
  void CheckClose() const;
  void EndClient();
  void Released();
  void Require(bool holds, const char* what) const;

  const std::uint64_t ticket_;
  const Plan& plan_;
  const Surroundings around_;
  Agenda& agenda_;
  Dice& dice_;
  const TimePoint began_;
  Client client_ = Client::kAsking;
  bool silent_ = false;  // half-open: neither speaks nor leaves
  bool left_ = false;    // of its own accord, or without a word
  bool refused_by_fence_ = false;
  int answers_ = 0;
  int drops_ = 0;
  int ends_ = 0;
  int held_ = 0;  // messages behind the window
  bool faulty_upstream_ = false;
  bool released_ = false;
  bool granted_ = false;
  bool probed_ = false;
  Epoch epoch_ = Epoch::kNone;
  std::optional<Tunnel> tunnel_;
  std::optional<Backend> backend_;
  std::optional<Heartbeat> heartbeat_;
  Timer wait_timer_;
  Timer tunnel_timer_;
  Timer heartbeat_timer_;
};

}  // namespace connguard::sim
