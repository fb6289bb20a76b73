// libsystemd knows the socket's forms and which process the watchdog is meant for.
#include "app/service_notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <utility>

namespace connguard {

namespace {

constexpr std::uint64_t kMicrosPerMilli = 1000;

void Notify(const std::string& state) { sd_notify(0, state.c_str()); }

std::uint64_t MonotonicMicros() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000U;
}

}  // namespace

void ServiceNotify::Ready() const { Notify("READY=1\nSTATUS=Serving"); }

// The time lets the manager tell this reload from one that was under way when it asked.
void ServiceNotify::Reloading() const {
  Notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(MonotonicMicros()) +
         "\nSTATUS=Reloading the configuration");
}

void ServiceNotify::Stopping() const { Notify("STOPPING=1\nSTATUS=Draining"); }

void ServiceNotify::Status(std::string_view text) const {
  std::string line(text.substr(0, text.find('\n')));  // the next one would be another variable
  Notify("STATUS=" + line);
}

Watchdog::Watchdog(uv_loop_t* loop, std::vector<Ask> workers)
    : workers_(std::move(workers)), answers_(std::make_shared<Answers>(workers_.size())) {
  std::uint64_t micros = 0;
  enabled_ = sd_watchdog_enabled(0, &micros) > 0;
  if (!enabled_) return;
  uv_timer_init(loop, &timer_);
  timer_.data = this;
  const std::uint64_t half = std::max<std::uint64_t>(1, micros / 2 / kMicrosPerMilli);
  uv_timer_start(
      &timer_, [](uv_timer_t* self) { static_cast<Watchdog*>(self->data)->Tick(); }, half, half);
  AskAll();
}

void Watchdog::Stop() {
  if (std::exchange(enabled_, false)) uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
}

void Watchdog::AskAll() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    (*answers_)[i] = false;
    workers_[i]([answers = answers_, i] { (*answers)[i] = true; });
  }
}

// Who has not answered is not asked again: one question waits for it, not a heap of them.
void Watchdog::Tick() {
  if (!std::ranges::all_of(*answers_,
                           [](const std::atomic<bool>& answer) { return answer.load(); })) {
    return;
  }
  Notify("WATCHDOG=1");
  AskAll();
}

}  // namespace connguard
