// Heartbeat: finds a leg whose peer is gone without a word.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "connguard/effects.h"
#include "connguard/types.h"

namespace connguard {

struct HeartbeatPolicy {
  Millis interval{20'000};  // silence before a ping; 0: no pings
  Millis timeout{10'000};   // further silence before the peer counts as dead
};

enum class HeartbeatEffect : std::uint8_t { kPing, kDead };

// Heartbeat pings a silent leg and declares it dead when it stays silent. Any byte is a sign of
// life.
//
// `spread` shortens the interval by up to an eighth, each leg's by its own: legs that came at once
// must not be pinged at once for ever.
//
// Pure: no I/O, no clock; `now` must not go backwards. Owned by one leg; not thread-safe.
// After any call, drain PollEffect(), then re-read NextTimeout().
class Heartbeat {
 public:
  Heartbeat(const HeartbeatPolicy& policy, TimePoint now, std::uint32_t spread = 0);

  // Bytes came from the peer. Cheap: stores the time, moves no timer (NextTimeout may then be
  // early, and the Tick that follows re-arms).
  void Heard(TimePoint now) {
    heard_at_ = now;
    heard_since_ping_ = true;
  }

  // The number of the ping that kPing asks for, to be told from earlier ones.
  std::uint32_t ping() const { return ping_; }
  // The answer to ping `number` came. How long it took; nullopt for one that is not out.
  std::optional<std::chrono::nanoseconds> Answered(std::uint32_t number, TimePoint now);

  // A dead leg is let live: its silence counts anew.
  void Excuse(TimePoint now);

  // Ask for a ping now and a sign of life within `timeout`, whatever the schedule (a probe). An
  // earlier deadline stays.
  void Probe(Millis timeout, TimePoint now);

  // The guard itself has stopped (resumed) reading the leg: silence proves nothing meanwhile, and
  // what was left of a deadline is left afterwards.
  void Freeze(TimePoint now);
  void Thaw(TimePoint now);

  void Tick(TimePoint now);
  std::optional<HeartbeatEffect> PollEffect() { return effects_.Poll(); }
  TimePoint NextTimeout() const;

 private:
  enum class State : std::uint8_t {
    kQuiet,    // nothing is asked
    kWaiting,  // a ping is out
    kDead,
  };

  bool frozen() const { return frozen_at_ != kNever; }
  void Ping(Millis timeout, TimePoint now);

  // In 32 bits (24 days), as there is a heartbeat for every leg.
  using ShortMillis = std::chrono::duration<std::int32_t, std::milli>;

  ShortMillis interval_;
  ShortMillis timeout_;
  std::uint32_t ping_ = 0;
  State state_ = State::kQuiet;
  bool ping_out_ = false;  // and not answered
  bool heard_since_ping_ = false;
  TimePoint heard_at_;
  TimePoint pinged_at_;
  TimePoint deadline_ = kNever;  // of kWaiting
  TimePoint frozen_at_ = kNever;
  EffectQueue<HeartbeatEffect, 4> effects_;
};

}  // namespace connguard
