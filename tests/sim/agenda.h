// Simulated time: what happens when, in a fixed order for a given seed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "connguard/types.h"

namespace connguard::sim {

class Agenda {
 public:
  using Action = std::function<void()>;
  using Id = std::pair<TimePoint, std::uint64_t>;

  TimePoint now() const { return now_; }
  bool empty() const { return actions_.empty(); }

  // What is due at the same instant happens in the order of the calls.
  Id At(TimePoint when, Action action) {
    const Id id{when, ++count_};
    actions_.emplace(id, std::move(action));
    return id;
  }
  Id In(Millis delay, Action action) { return At(now_ + delay, std::move(action)); }
  void Cancel(const Id& id) { actions_.erase(id); }

  // Moves the time to the next action and runs it.
  void Step() {
    auto next = actions_.extract(actions_.begin());
    now_ = next.key().first;
    next.mapped()();
  }

 private:
  TimePoint now_{std::chrono::hours{1}};
  std::uint64_t count_ = 0;
  std::map<Id, Action> actions_;
};

// At most one action ahead; armed anew it forgets the one before.
class Timer {
 public:
  explicit Timer(Agenda& agenda) : agenda_(agenda) {}

  // kNever disarms.
  void Arm(TimePoint when, Agenda::Action action) {
    Disarm();
    if (when == kNever) return;
    id_ = agenda_.At(when, [this, action = std::move(action)] {
      id_.reset();
      action();
    });
  }
  void Disarm() {
    if (id_) agenda_.Cancel(*id_);
    id_.reset();
  }
  bool armed() const { return id_.has_value(); }

 private:
  Agenda& agenda_;
  std::optional<Agenda::Id> id_;
};

// The same numbers for the same seed with every standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  // Both ends included.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool Percent(int chance) { return Between(1, 100) <= chance; }
  Millis Delay(std::int64_t low_ms, std::int64_t high_ms) {
    return Millis{Between(low_ms, high_ms)};
  }
  template <typename T>
  T OneOf(std::initializer_list<T> values) {
    return *(values.begin() + Between(0, static_cast<std::int64_t>(values.size()) - 1));
  }

 private:
  std::mt19937_64 engine_;
};

// Carries messages one way, in order, each with a delay of its own.
class Pipe {
 public:
  Pipe(Agenda& agenda, Dice& dice, Millis slowest)
      : agenda_(agenda), dice_(dice), slowest_(slowest), last_(agenda.now()) {}

  void Send(Agenda::Action deliver) {
    last_ = std::max(last_, agenda_.now() + dice_.Delay(0, slowest_.count()));
    agenda_.At(last_, std::move(deliver));
  }

 private:
  Agenda& agenda_;
  Dice& dice_;
  Millis slowest_;
  TimePoint last_;
};

}  // namespace connguard::sim
