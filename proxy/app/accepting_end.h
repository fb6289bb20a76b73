// AcceptingEnd: how a guard stops to accept, so that nobody is refused by it who could be served.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "app/worker.h"
#include "net/socket.h"

namespace connguard {

// Where sockets of another process listen on the same address – a newer guard – new connections are
// steered to them, and the workers serve who has come until nobody has come for a while. Else they
// accept who waits. Then the sockets are closed. Each listener goes its own way: a newer guard need
// not listen everywhere.
//
// Lives on the control thread; outlives the workers.
class AcceptingEnd {
 public:
  // For each worker, its sockets in the order of the configuration's listeners.
  using Sockets = std::vector<std::vector<int>>;
  // Runs a task on the control thread, or never.
  using Post = std::function<void(std::function<void()> task)>;

  // A handshake that was under way, and whose last packet was lost, is done a second later.
  static constexpr Millis kQuiet{1'500};
  // The longest that anybody should wait for `done`: a worker may hang, or a crowd never end.
  static constexpr Millis kLongest{10'000};

  AcceptingEnd(Sockets sockets, Post post) : sockets_(std::move(sockets)), post_(std::move(post)) {}

  // Once. `done` is called when every socket is closed.
  void Begin(const std::vector<Worker*>& workers, std::function<void()> done);
  // Waits for no worker any more: closes at once what they have given back, and whatever they still
  // do. `done` is not called from here on.
  void GiveUp();

 private:
  std::vector<int> OfListener(std::size_t listener) const;
  bool Steer(std::size_t listener) const;
  void Take(std::size_t listener, Fd socket);
  void CloseTaken(std::size_t listener);

  const Sockets sockets_;
  const Post post_;
  std::function<void()> done_;
  // For each listener, the sockets of the workers that have finished.
  std::vector<std::vector<Fd>> taken_;
  std::size_t open_ = 0;  // listeners that some worker has not finished
  bool given_up_ = false;
};

}  // namespace connguard
