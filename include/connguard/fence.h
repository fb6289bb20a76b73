// Fence: at most one live upstream session per session key. See proxy/core/fence.cc for the table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "connguard/effects.h"
#include "connguard/types.h"

namespace connguard {

// What happens to a second client while the first one of its key is still alive.
enum class OnConflict : std::uint8_t { kTakeover, kReject, kShare };

struct FenceEffect {
  enum class Kind : std::uint8_t {
    kGrant,      // `ticket` holds the key as `epoch`
    kSupersede,  // waiter `ticket` is refused: a newer one took its place (409)
    kConflict,   // waiter `ticket` is refused: the holder is alive (409; on_conflict: reject)
    kEvict,      // holder `ticket`/`epoch` must give way: end its client, treat it as a drop
    kProbe,      // holder `ticket`/`epoch` must prove its client alive: Answered or Dropped
  };
  Kind kind = Kind::kGrant;
  Ticket ticket;
  Epoch epoch = Epoch::kNone;

  friend bool operator==(const FenceEffect&, const FenceEffect&) = default;
};

// Fence lets at most one upstream live per session key (kShare: one per client, as long as every
// holder's client is alive). A reconnecting client waits until the previous upstream is really
// closed, so the backend never sees two at once. One waiter: the newest. The policy that counts is
// the newcomer's.
//
// Each ticket that asked gets exactly one of kGrant, kSupersede and kConflict, unless it abandons
// first. Evicted and probed holders answer by Dropped (or Answered), and by Release in the end.
//
// Pure: no I/O, no clock; time-outs of a waiter or a probe are the asking worker's. Owned by one
// worker; not thread-safe. After any call, drain PollEffect().
class Fence {
 public:
  enum class State : std::uint8_t {
    kFree,       // no upstream
    kHeld,       // every holder's client is alive; nobody waits
    kFinishing,  // a holder's client is gone, its upstream is being ended; nobody waits
    kProbing,    // every holder's client seems alive; the newest waits for the proof (reject)
    kContended,  // a holder's client is gone; the newest waits for the release
  };

  // `ticket` asks for the key. A ticket asks once. `fresh`: an epoch that nobody has had; the
  // lease's when `ticket` is granted, now or later.
  void Acquire(Ticket ticket, OnConflict policy, Epoch fresh);

  // The waiter `ticket` has left. A ticket that was already granted or refused is not touched: its
  // worker gives the lease back with Release.
  void Abandon(Ticket ticket);

  // The client of the holder is gone or was ended; its upstream is still live.
  void Dropped(Epoch epoch);

  // The probed holder's client is alive.
  void Answered(Epoch epoch);

  // The upstream of `epoch` is really over. An unknown epoch is stale and ignored.
  void Release(Epoch epoch);

  std::optional<FenceEffect> PollEffect();

  // Who holds the key; `alive`: its client is.
  struct Lease {
    Ticket ticket;
    Epoch epoch = Epoch::kNone;
    bool alive = true;
  };
  const std::vector<Lease>& leases() const { return leases_; }
  std::optional<Ticket> waiter() const {
    return waiter_ != nullptr ? std::optional<Ticket>(waiter_->ticket) : std::nullopt;
  }

  State state() const { return state_; }
  bool free() const { return state_ == State::kFree; }

 private:
  enum class Event : std::uint8_t;
  enum class Action : std::uint8_t;
  struct Table;

  struct Asker {
    Ticket ticket;
    OnConflict policy = OnConflict::kTakeover;
    Epoch epoch = Epoch::kNone;
  };

  // `asker`: whose Acquire is being applied.
  void Ask(const Asker& asker);
  void Apply(Event event, const Asker* asker = nullptr);
  void Run(Action action, const Asker* asker);
  void RefuseWaiter(FenceEffect::Kind kind);
  void EvictAlive();
  Lease* Find(Epoch epoch);

  State state_ = State::kFree;
  std::vector<Lease> leases_;
  std::unique_ptr<Asker> waiter_;  // in kProbing and kContended
  GrowingEffectQueue<FenceEffect> effects_;
};

}  // namespace connguard
