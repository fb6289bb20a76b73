// What the guard tells the service manager (sd_notify(3)), and the manager's watchdog.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace connguard {

// Says to whoever listens at $NOTIFY_SOCKET how the guard is. Without one, does nothing; a manager
// that does not listen is no error. Any thread.
class ServiceNotify {
 public:
  // It serves: after its start, and after each reload.
  void Ready() const;
  // From here on a reload is under way; Ready() ends it, whatever has come of it.
  void Reloading() const;
  void Stopping() const;
  // One line for people: `systemctl status` shows it.
  void Status(std::string_view text) const;
};

// Tells the service manager that the guard is alive, twice in every $WATCHDOG_USEC, as long as
// every worker's loop turns: a worker that hangs makes the manager restart the guard. Without a
// watchdog, does nothing. Lives on the thread of `loop`.
class Watchdog {
 public:
  // Asks one worker for a sign of life. It calls its argument when its loop gets to it, on any
  // thread, also when the watchdog has gone.
  using Ask = std::function<void(std::function<void()> answered)>;

  Watchdog(uv_loop_t* loop, std::vector<Ask> workers);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Before the loop can end. The object must outlive the loop.
  void Stop();

 private:
  using Answers = std::vector<std::atomic<bool>>;

  void AskAll();
  void Tick();

  uv_timer_t timer_{};
  bool enabled_ = false;
  const std::vector<Ask> workers_;
  const std::shared_ptr<Answers> answers_;  // since the last question
};

}  // namespace connguard
