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

// True: somebody else gets the newcomers of some listener.
bool AcceptingEnd::Steer() const {
  bool steered = false;
  const std::size_t listeners = sockets_.empty() ? 0 : sockets_.front().size();
  for (std::size_t i = 0; i < listeners; ++i) {
    const std::vector<int> own = OfListener(i);
    const std::size_t others = OthersListening(own);
    if (others == 0) continue;
    const bool done = SteerToOthers(own, others);
    Log(done ? LogLevel::kInfo : LogLevel::kWarn, "handing_over",
        {{"listener", i}, {"sockets", others}, {"steered", done}});
    steered = steered || done;
  }
  return steered;
}

void AcceptingEnd::Begin(const std::vector<Worker*>& workers, std::function<void()> done) {
  done_ = std::move(done);
  const Millis quiet = Steer() ? kQuiet : Millis{0};
  for (Worker* worker : workers) {
    worker->Post([this, quiet](Worker& self) {
      self.StopAccepting(quiet, [this](std::vector<Fd> sockets) {
        const auto shared = std::make_shared<std::vector<Fd>>(std::move(sockets));
        post_([this, shared] { Take(std::move(*shared)); });
      });
    });
  }
}

void AcceptingEnd::Take(std::vector<Fd> of_worker) {
  taken_.push_back(std::move(of_worker));
  if (taken_.size() < sockets_.size()) return;
  CloseAll();
  done_();
}

void AcceptingEnd::CloseAll() {
  for (std::size_t i = 0; i < sockets_.front().size(); ++i) {
    std::vector<Fd> own;
    for (std::vector<Fd>& of_worker : taken_) own.push_back(std::move(of_worker[i]));
    CloseSteered(std::move(own));
  }
}

}  // namespace connguard
