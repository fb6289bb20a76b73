// What one session key is configured to do in a simulated world.
#pragma once

#include <cstddef>

#include "agenda.h"
#include "connguard/fence.h"
#include "connguard/heartbeat.h"
#include "connguard/tunnel.h"
#include "connguard/turn.h"

namespace connguard::sim {

// No handler of a backend outlives its socket's end by more than this, nor a message its sending.
inline constexpr Millis kSlowestExit{80};
inline constexpr Millis kSlowestWire{5};
inline constexpr Millis kSlowestMailbox{20};

struct Plan {
  std::size_t key = 0;
  OnConflict on_conflict = OnConflict::kTakeover;
  bool mixed = false;  // routes of different policies lead to this key
  TunnelPolicy tunnel;
  TurnPolicy turn;
  HeartbeatPolicy heartbeat{Millis{5'000}, Millis{2'000}};
  Millis wait{0};
  Millis probe{2'000};

  // Two upstreams may never be live together.
  bool exclusive() const { return !mixed && on_conflict != OnConflict::kShare; }
  // Not even their handlers may overlap.
  bool strict() const {
    return exclusive() && (tunnel.barrier || tunnel.settle > kSlowestExit + kSlowestWire);
  }
  // The end of a turn is known, not guessed.
  bool exact_turns() const { return turn.end != TurnEnd::kQuiet; }
};

Plan RollPlan(std::size_t key, Dice& dice);

}  // namespace connguard::sim
