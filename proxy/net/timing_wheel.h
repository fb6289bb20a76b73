// TimingWheel: the deadlines of one worker, armed and cancelled in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "connguard/types.h"

namespace connguard {

class TimingWheel;

// Timer is embedded in what it wakes; disarms itself when destroyed. Fires once per arming, never
// early, late by less than a tick plus the loop's own delay.
class Timer {
 public:
  using Callback = void (*)(void* context) noexcept;

  Timer(Callback callback, void* context) : callback_(callback), context_(context) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const { return wheel_ != nullptr; }

 private:
  friend class TimingWheel;

  Callback callback_;
  void* context_;
  TimingWheel* wheel_ = nullptr;  // set while armed
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this timer
  std::uint64_t tick_ = 0;
};

// TimingWheel is hierarchical: four levels of 256 slots with a tick of 1 ms (65 s in the first
// two). A far deadline moves down a level when its turn comes, so arming and cancelling never
// search.
//
// Owned by one worker; not thread-safe. `now` must not go backwards.
class TimingWheel {
 public:
  explicit TimingWheel(TimePoint now);
  ~TimingWheel();
  TimingWheel(const TimingWheel&) = delete;
  TimingWheel& operator=(const TimingWheel&) = delete;

  // Arms `timer` for `deadline`, whatever it was armed for. kNever disarms.
  void Arm(Timer& timer, TimePoint deadline);
  // Leaves a timer alone that fires at or before `deadline`: its owner looks at its own deadlines
  // when it fires and arms again. This keeps the wheel out of the path of every message.
  void ArmAtLatest(Timer& timer, TimePoint deadline);
  void Disarm(Timer& timer);

  // Fires what is due.
  void Advance(TimePoint now);

  // When Advance has something to do next (it may only be moving timers down a level); kNever when
  // nothing is armed.
  TimePoint NextDeadline() const;

  std::size_t armed() const { return armed_; }

 private:
  static constexpr int kLevels = 4;
  static constexpr std::size_t kSlots = 256;

  struct Level {
    std::array<Timer*, kSlots> slots{};
    std::array<std::uint64_t, kSlots / 64> used{};  // one bit per slot that may hold a timer
  };

  std::uint64_t TickAt(TimePoint deadline) const;
  TimePoint TimeOf(std::uint64_t tick) const;
  void Place(Timer& timer);
  Timer* TakeSlot(int level, std::size_t slot);
  void Cascade(int level);
  // The distance from `from` to the next used slot of a level, kSlots when there is none.
  static std::size_t Distance(const Level& level, std::size_t from);

  TimePoint origin_;
  std::uint64_t now_ = 0;  // the last tick that was fired
  std::size_t armed_ = 0;
  std::array<Level, kLevels> levels_{};
};

}  // namespace connguard
