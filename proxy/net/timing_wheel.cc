// Hashed hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7).
#include "net/timing_wheel.h"

#include <algorithm>
#include <bit>

namespace connguard {

namespace {

constexpr int kBits = 8;
constexpr std::uint64_t kMask = 0xFF;
// The farthest slot; a deadline beyond it (49 days) is looked at again when that slot comes.
constexpr std::uint64_t kHorizon =
    (std::uint64_t{1} << (4 * kBits)) - (std::uint64_t{1} << (3 * kBits));

}  // namespace

Timer::~Timer() {
  if (wheel_ != nullptr) wheel_->Disarm(*this);
}

TimingWheel::TimingWheel(TimePoint now) : origin_(now) {}

TimingWheel::~TimingWheel() {
  for (Level& level : levels_) {
    for (Timer* timer : level.slots) {
      for (; timer != nullptr; timer = timer->next_) timer->wheel_ = nullptr;
    }
  }
}

std::uint64_t TimingWheel::TickAt(TimePoint deadline) const {
  if (deadline <= origin_) return now_ + 1;
  // Rounded up: a timer never fires before its deadline.
  const auto ticks = std::chrono::ceil<Millis>(deadline - origin_).count();
  return std::max(static_cast<std::uint64_t>(ticks), now_ + 1);
}

TimePoint TimingWheel::TimeOf(std::uint64_t tick) const {
  return origin_ + Millis(static_cast<Millis::rep>(tick));
}

void TimingWheel::Place(Timer& timer) {
  const std::uint64_t tick = std::min(timer.tick_, now_ + kHorizon);
  int index = 0;
  // The level is chosen by the highest digit in which the deadline differs from now: the slot then
  // comes up before the deadline does.
  while (index < kLevels - 1 &&
         (tick >> (kBits * (index + 1))) != (now_ >> (kBits * (index + 1)))) {
    ++index;
  }
  const std::size_t slot = (tick >> (kBits * index)) & kMask;
  Level& level = levels_[static_cast<std::size_t>(index)];
  Timer*& head = level.slots[slot];
  timer.next_ = head;
  if (head != nullptr) head->link_ = &timer.next_;
  timer.link_ = &head;
  head = &timer;
  level.used[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimingWheel::Arm(Timer& timer, TimePoint deadline) {
  Disarm(timer);
  if (deadline == kNever) return;
  timer.tick_ = TickAt(deadline);
  timer.wheel_ = this;
  ++armed_;
  Place(timer);
}

void TimingWheel::ArmAtLatest(Timer& timer, TimePoint deadline) {
  if (deadline == kNever || (timer.armed() && TimeOf(timer.tick_) <= deadline)) return;
  Arm(timer, deadline);
}

void TimingWheel::Disarm(Timer& timer) {
  if (timer.wheel_ == nullptr) return;
  *timer.link_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->link_ = timer.link_;
  timer.wheel_ = nullptr;
  --armed_;
}

Timer* TimingWheel::TakeSlot(int index, std::size_t slot) {
  Level& level = levels_[static_cast<std::size_t>(index)];
  level.used[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  Timer* head = level.slots[slot];
  level.slots[slot] = nullptr;
  return head;
}

void TimingWheel::Cascade(int index) {
  const std::size_t slot = (now_ >> (kBits * index)) & kMask;
  if (slot == 0 && index + 1 < kLevels) Cascade(index + 1);
  Timer* timer = TakeSlot(index, slot);
  while (timer != nullptr) {
    Timer* next = timer->next_;
    Place(*timer);
    timer = next;
  }
}

void TimingWheel::Advance(TimePoint now) {
  if (now < origin_) return;
  const auto target = static_cast<std::uint64_t>(std::chrono::floor<Millis>(now - origin_).count());
  while (now_ < target) {
    if (armed_ == 0) {
      now_ = target;
      return;
    }
    // Skips the empty part of the first level in one step.
    const std::size_t from = (now_ & kMask) + 1;
    const std::size_t skip = from < kSlots ? Distance(levels_[0], from) : 0;
    const std::uint64_t stop = std::min<std::uint64_t>(now_ + 1 + skip, (now_ | kMask) + 1);
    if (stop > target) {
      now_ = target;
      return;
    }
    now_ = stop;
    const std::size_t slot = now_ & kMask;
    if (slot == 0) Cascade(1);
    Timer* due = TakeSlot(0, slot);
    // A callback may disarm or arm any other timer, also one of this list: the list hangs on a
    // local head, so that Disarm works on it as on a slot.
    if (due != nullptr) due->link_ = &due;
    while (due != nullptr) {
      Timer& timer = *due;
      Disarm(timer);
      timer.callback_(timer.context_);
    }
  }
}

std::size_t TimingWheel::Distance(const Level& level, std::size_t from) {
  for (std::size_t word = from / 64; word < level.used.size(); ++word) {
    std::uint64_t bits = level.used[word];
    if (word == from / 64) bits &= ~std::uint64_t{0} << (from % 64);
    if (bits != 0) return word * 64 + static_cast<std::size_t>(std::countr_zero(bits)) - from;
  }
  return kSlots - from;
}

TimePoint TimingWheel::NextDeadline() const {
  if (armed_ == 0) return kNever;
  const std::size_t from = (now_ & kMask) + 1;
  if (from >= kSlots) return TimeOf(now_ + 1);
  // Nothing left in this round of the first level: the next round begins with a cascade.
  return TimeOf(now_ + 1 + Distance(levels_[0], from));
}

}  // namespace connguard
