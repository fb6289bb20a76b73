// Listener: accepts connections for one worker.
#pragma once

#include <functional>

#include "net/event_loop.h"
#include "net/socket.h"

namespace connguard {

// Listener accepts in batches and pauses for a moment when descriptors run out, so that the worker
// goes on serving. Owned by one worker; destroying it stops listening at once.
class Listener {
 public:
  using AcceptCallback = std::function<void(Fd fd, const SocketAddress& peer)>;

  Listener(EventLoop& loop, Fd fd, AcceptCallback accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Goes on until nobody has come for `quiet`, but accepts who waits in any case. Then it accepts
  // no more, and `finished` gets the socket, perhaps before this returns; it must not destroy the
  // listener.
  using FinishedCallback = std::function<void(Fd fd)>;
  void Finish(Millis quiet, FinishedCallback finished);

 private:
  void AcceptSome();
  // False: nobody waits any more.
  bool Accept(int most);
  void FinishIfQuiet();

  EventLoop& loop_;
  Fd fd_;
  AcceptCallback accepted_;
  int at_once_ = 1;  // at the next event
  Timer resume_;
  Millis quiet_{0};
  FinishedCallback finished_;
  TimePoint last_;  // when somebody came
  Timer finish_;
};

}  // namespace connguard
