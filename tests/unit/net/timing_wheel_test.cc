// TimingWheel: every timer fires once, in time, whatever callbacks do.
#include "net/timing_wheel.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace connguard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};
constexpr std::chrono::nanoseconds kTick = 1ms;

// A timer that counts how often it fired, and does what a test wants of it then.
class Alarm {
 public:
  Alarm() : timer([](void* self) noexcept { static_cast<Alarm*>(self)->Fire(); }, this) {}

  Timer timer;
  int fired = 0;
  std::function<void()> then;

 private:
  void Fire() {
    ++fired;
    if (then) then();
  }
};

class TimingWheelTest : public testing::Test {
 protected:
  TimingWheel wheel_{kStart};
};

TEST_F(TimingWheelTest, ATimerFiresOnceAndIsThenDisarmed) {
  Alarm alarm;
  wheel_.Arm(alarm.timer, kStart + 5ms);
  EXPECT_TRUE(alarm.timer.armed());
  EXPECT_EQ(wheel_.armed(), 1U);
  wheel_.Advance(kStart + 5ms);
  EXPECT_EQ(alarm.fired, 1);
  EXPECT_FALSE(alarm.timer.armed());
  EXPECT_EQ(wheel_.armed(), 0U);
  wheel_.Advance(kStart + 1h);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(TimingWheelTest, ATimerIsNeverEarlyAndLessThanATickLate) {
  for (const std::chrono::nanoseconds wait : std::initializer_list<std::chrono::nanoseconds>{
           1ns, 999'999ns, 1ms, 1'000'001ns, 255ms, 255'500us, 256ms, 257ms, 65'535ms, 65'536ms,
           70s + 1ns, 24h}) {
    SCOPED_TRACE(wait.count());
    TimingWheel wheel(kStart);
    Alarm alarm;
    wheel.Arm(alarm.timer, kStart + wait);
    wheel.Advance(kStart + wait - 1ns);
    EXPECT_EQ(alarm.fired, 0);
    wheel.Advance(kStart + wait + kTick - 1ns);
    EXPECT_EQ(alarm.fired, 1);
  }
}

TEST_F(TimingWheelTest, ADeadlineThatIsOverFiresWithTheNextTick) {
  wheel_.Advance(kStart + 10ms);
  Alarm alarm;
  wheel_.Arm(alarm.timer, kStart - 1s);
  EXPECT_EQ(wheel_.NextDeadline(), kStart + 11ms);
  wheel_.Advance(kStart + 11ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(TimingWheelTest, ArmingAgainReplacesTheDeadline) {
  Alarm alarm;
  wheel_.Arm(alarm.timer, kStart + 5ms);
  wheel_.Arm(alarm.timer, kStart + 300ms);
  wheel_.Advance(kStart + 299ms);
  EXPECT_EQ(alarm.fired, 0);
  wheel_.Arm(alarm.timer, kStart + 301ms);
  wheel_.Advance(kStart + 301ms);
  EXPECT_EQ(alarm.fired, 1);
  EXPECT_EQ(wheel_.armed(), 0U);
}

TEST_F(TimingWheelTest, ArmingForNeverDisarms) {
  Alarm alarm;
  wheel_.Arm(alarm.timer, kStart + 5ms);
  wheel_.Arm(alarm.timer, kNever);
  EXPECT_FALSE(alarm.timer.armed());
  EXPECT_EQ(wheel_.NextDeadline(), kNever);
  wheel_.Advance(kStart + 1s);
  EXPECT_EQ(alarm.fired, 0);
}

TEST_F(TimingWheelTest, ArmAtLatestOnlyEverBringsATimerForward) {
  Alarm alarm;
  wheel_.ArmAtLatest(alarm.timer, kStart + 50ms);
  wheel_.ArmAtLatest(alarm.timer, kStart + 60ms);
  wheel_.ArmAtLatest(alarm.timer, kNever);
  wheel_.Advance(kStart + 49ms);
  EXPECT_EQ(alarm.fired, 0);
  wheel_.ArmAtLatest(alarm.timer, kStart + 70ms);
  wheel_.Advance(kStart + 50ms);
  EXPECT_EQ(alarm.fired, 1);
  wheel_.ArmAtLatest(alarm.timer, kStart + 90ms);
  wheel_.ArmAtLatest(alarm.timer, kStart + 80ms);
  wheel_.Advance(kStart + 80ms);
  EXPECT_EQ(alarm.fired, 2);
}

TEST_F(TimingWheelTest, ATimerThatIsDestroyedIsDisarmed) {
  {
    Alarm alarm;
    wheel_.Arm(alarm.timer, kStart + 5ms);
  }
  EXPECT_EQ(wheel_.armed(), 0U);
  wheel_.Advance(kStart + 1s);
}

TEST_F(TimingWheelTest, ATimerMayOutliveItsWheel) {
  Alarm alarm;
  {
    TimingWheel wheel(kStart);
    wheel.Arm(alarm.timer, kStart + 5ms);
  }
  EXPECT_FALSE(alarm.timer.armed());
}

TEST_F(TimingWheelTest, ACallbackMayArmItsOwnTimerAgain) {
  Alarm alarm;
  alarm.then = [&] { wheel_.Arm(alarm.timer, kStart + alarm.fired * 10ms); };
  wheel_.Arm(alarm.timer, kStart);
  wheel_.Advance(kStart + 45ms);
  EXPECT_EQ(alarm.fired, 5);  // at 1, 10, 20, 30 and 40 ms
  EXPECT_TRUE(alarm.timer.armed());
}

TEST_F(TimingWheelTest, ACallbackMayDisarmAndMoveOthersThatAreDueInTheSameSlot) {
  // Whichever of the five comes first: one of the others is disarmed, one is put off, one
  // destroyed.
  std::deque<std::unique_ptr<Alarm>> alarms;
  Alarm* first = nullptr;
  std::vector<Alarm*> others;
  for (int i = 0; i < 5; ++i) alarms.push_back(std::make_unique<Alarm>());
  for (const std::unique_ptr<Alarm>& alarm : alarms) {
    Alarm* const self = alarm.get();
    self->then = [&, self] {
      if (first != nullptr) return;
      first = self;
      for (const auto& other : alarms) {
        if (other.get() != self) others.push_back(other.get());
      }
      wheel_.Disarm(others[0]->timer);
      wheel_.Arm(others[1]->timer, kStart + 20ms);
      std::erase_if(alarms, [&](const auto& one) { return one.get() == others[2]; });
    };
    wheel_.Arm(self->timer, kStart + 5ms);
  }
  wheel_.Advance(kStart + 5ms);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->fired, 1);
  EXPECT_EQ(others[0]->fired, 0);
  EXPECT_EQ(others[1]->fired, 0);
  EXPECT_EQ(others[3]->fired, 1);
  EXPECT_EQ(wheel_.armed(), 1U);
  wheel_.Advance(kStart + 20ms);
  EXPECT_EQ(others[1]->fired, 1);
}

TEST_F(TimingWheelTest, ACallbackMayArmAnotherForTheTickThatIsFiring) {
  Alarm late;
  Alarm alarm;
  alarm.then = [&] { wheel_.Arm(late.timer, kStart + 5ms); };
  wheel_.Arm(alarm.timer, kStart + 5ms);
  wheel_.Advance(kStart + 5ms);
  EXPECT_EQ(late.fired, 0);
  wheel_.Advance(kStart + 6ms);
  EXPECT_EQ(late.fired, 1);
}

TEST_F(TimingWheelTest, ACallbackMayDestroyItsOwnTimer) {
  auto alarm = std::make_unique<Alarm>();
  Alarm other;
  int fired = 0;
  alarm->then = [&] {
    ++fired;
    // The function that runs belongs to what is destroyed.
    const auto keep = std::move(alarm->then);
    alarm.reset();
  };
  wheel_.Arm(alarm->timer, kStart + 5ms);
  wheel_.Arm(other.timer, kStart + 5ms);
  wheel_.Advance(kStart + 5ms);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(other.fired, 1);
}

TEST_F(TimingWheelTest, FarDeadlinesComeDownAllLevels) {
  wheel_.Advance(kStart + 12'345ms);  // not at the beginning of any round
  std::deque<Alarm> alarms;
  std::vector<Millis> waits;
  for (const Millis::rep base : {0x100, 0x1'0000, 0x100'0000, 0x300'0000}) {
    for (const Millis::rep offset : {-1, 0, 1}) waits.emplace_back(12'345 + base + offset);
  }
  for (const Millis wait : waits) wheel_.Arm(alarms.emplace_back().timer, kStart + wait);
  for (std::size_t i = 0; i < waits.size(); ++i) {
    wheel_.Advance(kStart + waits[i] - 1ns);
    EXPECT_EQ(alarms[i].fired, 0) << i;
    wheel_.Advance(kStart + waits[i]);
    EXPECT_EQ(alarms[i].fired, 1) << i;
  }
}

TEST_F(TimingWheelTest, ADeadlineBeyondTheHorizonIsKeptToo) {
  constexpr auto kFar = 24h * 50;  // the wheel goes round in 49.7 days
  Alarm alarm;
  wheel_.Arm(alarm.timer, kStart + kFar);
  wheel_.Advance(kStart + kFar - 1ms);
  EXPECT_EQ(alarm.fired, 0);
  wheel_.Advance(kStart + kFar);
  EXPECT_EQ(alarm.fired, 1);
}

// What the wheel must do, done slowly.
struct Expected {
  std::optional<TimePoint> armed;  // fires with the first Advance at or after it
  int fired = 0;
};

TEST_F(TimingWheelTest, ItDoesWhatASortedListWould) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](int bound) {
      return std::uniform_int_distribution<int>(0, bound - 1)(random);
    };
    // From less than a tick to some minutes, all scales alike.
    const auto span = [&] { return std::chrono::microseconds(below(1 << (1 + below(28)))); };
    TimingWheel wheel(kStart);
    TimePoint now = kStart;
    std::deque<Alarm> alarms(40);
    std::vector<Expected> expected(alarms.size());
    for (int step = 0; step < 2000; ++step) {
      const auto i = static_cast<std::size_t>(below(static_cast<int>(alarms.size())));
      switch (below(4)) {
        case 0:
          wheel.Disarm(alarms[i].timer);
          expected[i].armed.reset();
          break;
        case 1:
          now += span();
          wheel.Advance(now);
          for (std::size_t k = 0; k < expected.size(); ++k) {
            Expected& one = expected[k];
            // Time is told in whole ticks from the start.
            if (one.armed && *one.armed <= std::chrono::floor<Millis>(now - kStart) + kStart) {
              one.armed.reset();
              ++one.fired;
            }
            ASSERT_EQ(alarms[k].fired, one.fired) << "timer " << k << ", step " << step;
          }
          break;
        default: {
          const TimePoint deadline = now + span() + 1ms;
          wheel.Arm(alarms[i].timer, deadline);
          expected[i].armed = deadline;
          break;
        }
      }
      TimePoint earliest = kNever;
      std::size_t armed = 0;
      for (const Expected& one : expected) {
        if (!one.armed) continue;
        ++armed;
        earliest = std::min(earliest, *one.armed);
      }
      ASSERT_EQ(wheel.armed(), armed);
      // A wait until then makes nobody late by a tick.
      ASSERT_TRUE(armed == 0 ? wheel.NextDeadline() == kNever
                             : wheel.NextDeadline() < earliest + kTick);
    }
  }
}

}  // namespace
}  // namespace connguard
