// Listener: accepts connections for one worker.
#pragma once

#include <functional>

#include "net/event_loop.h"
#include "net/socket.h"

namespace connguard {

// Listener accepts in batches and pauses for a moment when descriptors run out, so that the worker
// goes on serving. Owned by one worker; destroying it stops listening.
class Listener {
 public:
  using AcceptCallback = std::function<void(Fd fd, const SocketAddress& peer)>;

  Listener(EventLoop& loop, Fd fd, AcceptCallback accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  void AcceptBatch();

  EventLoop& loop_;
  Fd fd_;
  AcceptCallback accepted_;
  Timer resume_;
};

}  // namespace connguard
