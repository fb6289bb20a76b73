// The simulated agent.
#include "backend.h"

#include <algorithm>
#include <utility>

namespace connguard::sim {

Backend::Backend(const Plan& plan, Agenda& agenda, Dice& dice, Judge& judge, UpstreamEvents& guard)
    : plan_(plan),
      agenda_(agenda),
      dice_(dice),
      judge_(judge),
      guard_(guard),
      to_agent_(agenda, dice, kSlowestWire),
      to_guard_(agenda, dice, kSlowestWire),
      handler_end_(agenda.now()) {}

// A guard that has lost or reset the socket hears nothing more of it.
void Backend::ToGuard(Agenda::Action deliver) {
  to_guard_.Send([this, deliver = std::move(deliver)] {
    if (live_) deliver();
  });
}

void Backend::Dial() {
  live_ = true;
  judge_.UpstreamOpened(plan_.key);
  const std::int64_t fate = dice_.Between(1, 100);
  const Millis delay = dice_.Percent(80) ? dice_.Delay(1, 50) : dice_.Delay(50, 6'000);
  if (fate <= 5) return;  // never answers
  agenda_.In(delay, [this, fate] {
    if (!live_ || socket_ != Socket::kConnecting) return;
    if (fate <= 10) {
      GuardSees(CloseCause::kUpstreamUnreachable);
    } else if (fate <= 15) {
      GuardSees(CloseCause::kUpstreamRefused);
    } else {
      Accept();
    }
  });
}

void Backend::Accept() {
  socket_ = Socket::kOpen;
  handler_ = true;
  judge_.HandlerStarted(plan_.key);
  ToGuard([this] { guard_.OnReady(); });
  RollFate();
}

void Backend::RollFate() {
  const std::int64_t fate = dice_.Between(1, 100);
  if (fate > 30) return;
  agenda_.In(dice_.Delay(0, 8'000), [this, fate] {
    if (socket_ != Socket::kOpen) return;
    if (fate <= 10) {
      EndSocket();
      GuardSees(dice_.OneOf({CloseCause::kUpstreamLost, CloseCause::kUpstreamReset}));
    } else if (fate <= 15) {
      ToGuard([this] { guard_.OnUpstreamFault(); });
    } else {
      CloseItself();
    }
  });
}

void Backend::Message() {
  ++unfinished_;
  to_agent_.Send([this] {
    if (socket_ != Socket::kOpen) return;
    ++unread_;
    Work();
  });
}

// One message at a time, as an agent's receive loop does.
void Backend::Work() {
  if (working_ || unread_ == 0 || socket_ != Socket::kOpen) return;
  working_ = true;
  --unread_;
  if (dice_.Percent(2)) return;  // hangs for ever
  const bool tokens = plan_.turn.end != TurnEnd::kEachAnswer;
  Answer(tokens ? static_cast<int>(dice_.Between(0, 5)) : 0);
}

void Backend::Answer(int tokens) {
  const Millis pause = dice_.Percent(90) ? dice_.Delay(0, 200) : dice_.Delay(200, 4'000);
  agenda_.In(pause, [this, tokens] {
    if (socket_ != Socket::kOpen) return;
    const bool final = tokens == 0;
    if (final) --unfinished_;
    ToGuard([this, final] { guard_.OnUpstreamMessage(final); });
    if (!final) return Answer(tokens - 1);
    working_ = false;
    Work();
  });
}

void Backend::CloseItself() {
  socket_ = Socket::kClosing;
  ToGuard([this] { guard_.OnUpstreamClose(); });
}

void Backend::Close() {
  to_agent_.Send([this] { CloseArrived(); });
}

void Backend::CloseArrived() {
  if (socket_ != Socket::kOpen && socket_ != Socket::kClosing) return;
  if (dice_.Percent(10)) return;  // the guard has to reset it
  const bool replies = socket_ == Socket::kOpen;
  EndSocket();
  if (replies) {
    ToGuard([this] { guard_.OnUpstreamClose(); });
  }
  GuardSees(CloseCause::kUpstreamClosed);
}

void Backend::Reply() { Close(); }

void Backend::Reset() {
  GuardSocketGone();
  to_agent_.Send([this] { EndSocket(); });
  handler_end_ = std::max(handler_end_, agenda_.now() + kSlowestWire + kSlowestExit);
}

void Backend::EndSocket() {
  if (socket_ == Socket::kEnded) return;
  socket_ = Socket::kEnded;
  if (!handler_) return;
  handler_ = false;
  // A handler that lost its client in mid-turn breaks; how long it takes is not the guard's fault.
  const Millis exit = working_ ? Millis{0} : dice_.Delay(0, kSlowestExit.count());
  handler_end_ = agenda_.now() + exit;
  agenda_.In(exit, [this] { judge_.HandlerEnded(plan_.key); });
}

void Backend::GuardSees(CloseCause cause) {
  ToGuard([this, cause] {
    GuardSocketGone();
    guard_.OnUpstreamGone(cause);
  });
}

void Backend::GuardSocketGone() {
  live_ = false;
  judge_.UpstreamClosed(plan_.key);
}

// Answered by the same event loop, so not before the handler has returned.
void Backend::AskBarrier() {
  if (dice_.Percent(10)) return;
  const TimePoint when = std::max(handler_end_, agenda_.now() + dice_.Delay(0, 10));
  agenda_.At(when + Millis{1}, [this] { guard_.OnBarrier(); });
}

}  // namespace connguard::sim
