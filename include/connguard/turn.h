// Turn: is a client's request in flight at the backend?
#pragma once

#include <cstdint>

#include "connguard/types.h"

namespace connguard {

// How the end of a turn is told from the backend's messages.
enum class TurnEnd : std::uint8_t {
  kMatch,       // a message that the profile's matcher accepts ends one turn
  kEachAnswer,  // every message ends one turn
  kQuiet,       // only silence ends turns
};

struct TurnPolicy {
  TurnEnd end = TurnEnd::kQuiet;
  Millis quiet{0};      // >0: this long without an upstream message, once one came, ends all turns
  Millis max{300'000};  // a turn that lasts longer is given up, and those behind it (counted from
                        // its start, or from the end of the one before it); 0: never
  std::uint32_t window = 0;  // turns passed on at a time; 0: no limit
};

// Turn counts the requests that a backend has got and not yet answered: clients send several before
// they drop, and backends work them off one by one.
//
// Pure: no I/O, no clock; `now` must not go backwards. Owned by one tunnel; not thread-safe.
class Turn {
 public:
  // `policy` outlives it.
  explicit Turn(const TurnPolicy& policy) : policy_(&policy) {}
  explicit Turn(const TurnPolicy&& policy) = delete;

  // The first byte of a client's message goes to the upstream.
  void Begin(TimePoint now);

  // The message that began last will never be complete: the backend does not even know of it.
  void Withdraw(TimePoint now);

  // A whole message came from the upstream; `matched`: the profile's matcher says that it is final.
  void Answer(bool matched, TimePoint now);

  // The guard itself has stopped (resumed) reading the upstream: silence ends nothing meanwhile.
  void Freeze(TimePoint now);
  void Thaw(TimePoint now);

  // Applies quiet and max. Call at or after NextTimeout(), and before asking anything else; a turn
  // that ended by time ended when its time was over, however late the call.
  void Tick(TimePoint now);

  // Turns in flight.
  std::uint32_t in_flight() const { return in_flight_; }
  bool idle() const { return in_flight() == 0; }

  // True while another message may be passed on (window).
  bool open() const { return policy_->window == 0 || in_flight_ < policy_->window; }

  // True when the last transition to idle was by `max`, until the next Begin.
  bool overdue() const { return overdue_; }

  // When a turn ended last; TimePoint::min() when none has. `linger` counts from here.
  TimePoint ended_at() const { return ended_at_; }

  // Turns that ended since the beginning, modulo 2^32: answered or silent, and given up after
  // `max`.
  std::uint32_t finished() const { return finished_; }
  std::uint32_t given_up() const { return given_up_; }

  TimePoint NextTimeout() const;

 private:
  TimePoint MaxAt() const;
  TimePoint QuietAt() const { return frozen_at_ == kNever ? quiet_at_ : kNever; }
  void EndAll(TimePoint at, bool overdue);

  const TurnPolicy* policy_;
  std::uint32_t in_flight_ = 0;
  std::uint32_t finished_ = 0;
  std::uint32_t given_up_ = 0;
  bool overdue_ = false;
  TimePoint since_ = TimePoint::min();  // what `max` counts from
  TimePoint quiet_at_ = kNever;         // armed by an answer that leaves its turn unfinished
  TimePoint frozen_at_ = kNever;
  TimePoint ended_at_ = TimePoint::min();
};

}  // namespace connguard
