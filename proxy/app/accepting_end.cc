// The steps are those of net/handover.h; here they are brought to the threads.
#include "app/accepting_end.h"

#include <utility>

#include "log/log.h"
#include "net/handover.h"

namespace connguard {

std::vector<int> AcceptingEnd::OfListener(std::size_t listener) const {
  std::vector<int> sockets;
  for (const std::vector<int>& of_worker : sockets_) sockets.push_back(of_worker[listener]);
  return sockets;
}

// True: somebody else gets its newcomers.
bool AcceptingEnd::Steer(std::size_t listener) const {
  const std::vector<int> own = OfListener(listener);
  const std::size_t others = OthersListening(own);
  if (others == 0) return false;
  const bool done = SteerToOthers(own, others);
  Log(done ? LogLevel::kInfo : LogLevel::kWarn, "handing_over",
      {{"listener", listener}, {"sockets", others}, {"steered", done}});
  return done;
}

void AcceptingEnd::Begin(const std::vector<Worker*>& workers, std::function<void()> done) {
  done_ = std::move(done);
  taken_.resize(sockets_.empty() ? 0 : sockets_.front().size());
  open_ = taken_.size();
  std::vector<Millis> quiet;
  for (std::size_t i = 0; i < taken_.size(); ++i) quiet.push_back(Steer(i) ? kQuiet : Millis{0});
  for (Worker* worker : workers) {
    worker->Post([this, quiet](Worker& self) {
      self.StopAccepting(quiet, [this](std::size_t listener, Fd socket) {
        const auto shared = std::make_shared<Fd>(std::move(socket));
        post_([this, listener, shared] { Take(listener, std::move(*shared)); });
      });
    });
  }
}

void AcceptingEnd::Take(std::size_t listener, Fd socket) {
  taken_[listener].push_back(std::move(socket));
  if (given_up_) {
    CloseTaken(listener);
  } else if (taken_[listener].size() == sockets_.size()) {
    CloseTaken(listener);
    if (--open_ == 0) done_();
  }
}

void AcceptingEnd::GiveUp() {
  given_up_ = true;
  for (std::size_t i = 0; i < taken_.size(); ++i) CloseTaken(i);
}

void AcceptingEnd::CloseTaken(std::size_t listener) {
  CloseSteered(std::exchange(taken_[listener], {}), OfListener(listener));
}

}  // namespace connguard
