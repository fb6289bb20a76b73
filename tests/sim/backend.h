// One upstream connection and the agent behind it: slow, refusing, closing, dying, stalling.
#pragma once

#include <cstdint>

#include "agenda.h"
#include "connguard/close_cause.h"
#include "judge.h"
#include "plan.h"

namespace connguard::sim {

// What the guard sees of a backend.
class UpstreamEvents {
 public:
  virtual void OnReady() = 0;
  virtual void OnUpstreamMessage(bool final) = 0;
  virtual void OnUpstreamClose() = 0;
  virtual void OnUpstreamFault() = 0;
  virtual void OnUpstreamGone(CloseCause cause) = 0;
  virtual void OnBarrier() = 0;

 protected:
  ~UpstreamEvents() = default;
};

// Messages travel with delays both ways; what the guard does reaches the agent later.
class Backend {
 public:
  Backend(const Plan& plan, Agenda& agenda, Dice& dice, Judge& judge, UpstreamEvents& guard);

  // The guard's side.
  void Dial();
  void Message();
  void Close();
  void Reply();
  void Reset();
  void AskBarrier();

  // The guard's socket exists.
  bool live() const { return live_; }
  // Messages that the guard passed on and the agent has not yet answered to the end.
  int unfinished() const { return unfinished_; }

 private:
  enum class Socket : std::uint8_t { kConnecting, kOpen, kClosing, kEnded };

  void ToGuard(Agenda::Action deliver);
  void Accept();
  void RollFate();
  void Work();
  void Answer(int tokens);
  void CloseItself();
  void CloseArrived();
  void EndSocket();
  void GuardSees(CloseCause cause);
  void GuardSocketGone();

  const Plan& plan_;
  Agenda& agenda_;
  Dice& dice_;
  Judge& judge_;
  UpstreamEvents& guard_;
  Pipe to_agent_;
  Pipe to_guard_;
  bool live_ = false;
  Socket socket_ = Socket::kConnecting;
  bool handler_ = false;  // the agent's handler runs
  TimePoint handler_end_;
  bool working_ = false;
  int unread_ = 0;
  int unfinished_ = 0;
};

}  // namespace connguard::sim
