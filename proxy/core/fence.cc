// The lease on a session key.
#include "connguard/fence.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/transition_table.h"

namespace connguard {

// Stale epochs and tickets never get as far as the table.
enum class Fence::Event : std::uint8_t {
  kTakeover,  // a newcomer asks, by its policy
  kReject,
  kShare,
  kDropped,              // a holder's client is gone
  kAnswered,             // a holder's client is alive
  kReleasedLast,         // a lease is over and none is left
  kReleasedToAlive,      // a lease is over, all others' clients are alive
  kReleasedToFinishing,  // a lease is over, not all others' clients are alive
  kAbandoned,            // the waiter has left
};

enum class Fence::Action : std::uint8_t {
  kNone,
  kGrant,      // the newcomer holds the key
  kPark,       // the newcomer waits
  kEvict,      // every holder that is still alive gives way
  kProbe,      // every holder proves itself alive
  kSupersede,  // the waiter is refused: there is a newer one
  kConflict,   // the waiter is refused: a holder is alive
  kForget,     // the waiter has left
  kAskAgain,   // the waiter asks like a newcomer: what it met is over
};

struct Fence::Table {
  using enum State;
  using enum Event;
  using enum Action;
  using Rules = Transitions<kContended, kAbandoned, Action, 3>;

  // Held and Probing: every holder is alive. Finishing and Contended: at least one is not. What
  // contradicts that cannot happen; such a row leads to the state that is true then.
  // clang-format off
  static constexpr auto kRows = std::to_array<Rules::Row>({
      {kFree,      kTakeover,            kHeld,      {kGrant}},
      {kFree,      kReject,              kHeld,      {kGrant}},
      {kFree,      kShare,               kHeld,      {kGrant}},
      {kFree,      kDropped,             kFree,      {}},
      {kFree,      kAnswered,            kFree,      {}},
      {kFree,      kReleasedLast,        kFree,      {}},
      {kFree,      kReleasedToAlive,     kHeld,      {}},
      {kFree,      kReleasedToFinishing, kFinishing, {}},
      {kFree,      kAbandoned,           kFree,      {}},

      {kHeld,      kTakeover,            kContended, {kPark, kEvict}},
      {kHeld,      kReject,              kProbing,   {kPark, kProbe}},
      {kHeld,      kShare,               kHeld,      {kGrant}},
      {kHeld,      kDropped,             kFinishing, {}},
      {kHeld,      kAnswered,            kHeld,      {}},                    // the waiter had left
      {kHeld,      kReleasedLast,        kFree,      {}},
      {kHeld,      kReleasedToAlive,     kHeld,      {}},
      {kHeld,      kReleasedToFinishing, kFinishing, {}},
      {kHeld,      kAbandoned,           kHeld,      {}},

      {kFinishing, kTakeover,            kContended, {kPark, kEvict}},       // sharers may be alive
      {kFinishing, kReject,              kContended, {kPark}},
      {kFinishing, kShare,               kContended, {kPark}},
      {kFinishing, kDropped,             kFinishing, {}},
      {kFinishing, kAnswered,            kFinishing, {}},
      {kFinishing, kReleasedLast,        kFree,      {}},
      {kFinishing, kReleasedToAlive,     kHeld,      {}},
      {kFinishing, kReleasedToFinishing, kFinishing, {}},
      {kFinishing, kAbandoned,           kFinishing, {}},

      {kProbing,   kTakeover,            kContended, {kSupersede, kPark, kEvict}},
      {kProbing,   kReject,              kProbing,   {kSupersede, kPark}},   // the probe is out
      {kProbing,   kShare,               kHeld,      {kSupersede, kGrant}},
      {kProbing,   kDropped,             kContended, {}},
      {kProbing,   kAnswered,            kHeld,      {kConflict}},
      {kProbing,   kReleasedLast,        kFree,      {kAskAgain}},
      {kProbing,   kReleasedToAlive,     kProbing,   {}},                    // theirs is out, too
      {kProbing,   kReleasedToFinishing, kContended, {}},
      {kProbing,   kAbandoned,           kHeld,      {kForget}},

      {kContended, kTakeover,            kContended, {kSupersede, kPark, kEvict}},
      {kContended, kReject,              kContended, {kSupersede, kPark}},
      {kContended, kShare,               kContended, {kSupersede, kPark}},
      {kContended, kDropped,             kContended, {}},
      {kContended, kAnswered,            kContended, {}},                    // another one is gone
      {kContended, kReleasedLast,        kFree,      {kAskAgain}},
      {kContended, kReleasedToAlive,     kHeld,      {kAskAgain}},           // share: granted now
      {kContended, kReleasedToFinishing, kContended, {}},
      {kContended, kAbandoned,           kFinishing, {kForget}},
  });
  // clang-format on
  static_assert(Rules::Total(kRows));

  static constexpr Event Asks(OnConflict policy) {
    switch (policy) {
      case OnConflict::kTakeover:
        return kTakeover;
      case OnConflict::kReject:
        return kReject;
      case OnConflict::kShare:
        return kShare;
    }
    return kTakeover;
  }
};

void Fence::Acquire(Ticket ticket, OnConflict policy, Epoch fresh) { Ask({ticket, policy, fresh}); }

void Fence::Ask(const Asker& asker) { Apply(Table::Asks(asker.policy), &asker); }

void Fence::Abandon(Ticket ticket) {
  if (waiter_ != nullptr && waiter_->ticket == ticket) Apply(Event::kAbandoned);
}

void Fence::Dropped(Epoch epoch) {
  Lease* lease = Find(epoch);
  if (lease == nullptr) return;
  lease->alive = false;
  Apply(Event::kDropped);
}

void Fence::Answered(Epoch epoch) {
  if (Find(epoch) != nullptr) Apply(Event::kAnswered);
}

void Fence::Release(Epoch epoch) {
  if (std::erase_if(leases_, [epoch](const Lease& l) { return l.epoch == epoch; }) == 0) return;
  if (leases_.empty()) {
    Apply(Event::kReleasedLast);
  } else if (std::all_of(leases_.begin(), leases_.end(), [](const Lease& l) { return l.alive; })) {
    Apply(Event::kReleasedToAlive);
  } else {
    Apply(Event::kReleasedToFinishing);
  }
}

std::optional<FenceEffect> Fence::PollEffect() { return effects_.Poll(); }

void Fence::Apply(Event event, const Asker* asker) {
  const auto& row = Table::Rules::Find(Table::kRows, state_, event);
  state_ = row.next;
  for (const Action action : row.actions) Run(action, asker);
}

void Fence::Run(Action action, const Asker* asker) {
  switch (action) {
    case Action::kNone:
      return;
    case Action::kGrant:
      leases_.push_back({asker->ticket, asker->epoch, true});
      return effects_.Push({FenceEffect::Kind::kGrant, asker->ticket, asker->epoch});
    case Action::kPark:
      waiter_ = std::make_unique<Asker>(*asker);
      return;
    case Action::kEvict:
      return EvictAlive();
    case Action::kProbe:
      for (const Lease& lease : leases_) {
        effects_.Push({FenceEffect::Kind::kProbe, lease.ticket, lease.epoch});
      }
      return;
    case Action::kSupersede:
      return RefuseWaiter(FenceEffect::Kind::kSupersede);
    case Action::kConflict:
      return RefuseWaiter(FenceEffect::Kind::kConflict);
    case Action::kForget:
      waiter_.reset();
      return;
    case Action::kAskAgain:
      // Free and Held never ask again: this nests once.
      return Ask(*std::exchange(waiter_, nullptr));
  }
}

void Fence::RefuseWaiter(FenceEffect::Kind kind) {
  effects_.Push({kind, waiter_->ticket, Epoch::kNone});
  waiter_.reset();
}

void Fence::EvictAlive() {
  for (Lease& lease : leases_) {
    if (!lease.alive) continue;
    lease.alive = false;
    effects_.Push({FenceEffect::Kind::kEvict, lease.ticket, lease.epoch});
  }
}

Fence::Lease* Fence::Find(Epoch epoch) {
  const auto lease = std::find_if(leases_.begin(), leases_.end(),
                                  [epoch](const Lease& l) { return l.epoch == epoch; });
  return lease == leases_.end() ? nullptr : &*lease;
}

}  // namespace connguard
