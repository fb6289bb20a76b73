// Workers and mailboxes.
#include "world.h"

#include <utility>

namespace connguard::sim {

World::World(std::uint64_t seed, Fault fault, bool tracing)
    : dice_(seed), judge_(agenda_, tracing), fault_(fault) {
  for (std::size_t key = 0; key < kKeys; ++key) {
    plans_.push_back(RollPlan(key, dice_));
    judge_.Know(plans_.back());
  }
  for (std::size_t i = 0; i < kWorkers * kWorkers; ++i) {
    mailboxes_.emplace_back(agenda_, dice_, kSlowestMailbox);
  }
}

std::uint64_t World::Run(std::uint64_t steps) {
  ClientsCome();
  std::uint64_t step = 0;
  while (!agenda_.empty() && !failed()) {
    if (++step == steps) open_ = false;
    agenda_.Step();
  }
  if (failed()) return step;
  for (const auto& [ticket, guest] : sessions_) guest.session->CheckOver();
  for (const auto& [key, fence] : fences_) judge_.Require(false, key, "a fence was left over");
  judge_.EverythingIsOver();
  return step;
}

void World::ClientsCome() {
  if (!open_) return;
  const auto key = static_cast<std::size_t>(dice_.Between(0, kKeys - 1));
  const std::int64_t crowd = dice_.Percent(95) ? 1 : dice_.Between(2, 32);
  for (std::int64_t i = 0; i < crowd; ++i) ClientComes(key);
  const Millis pause = dice_.Percent(70) ? dice_.Delay(0, 1'000) : dice_.Delay(0, 10'000);
  agenda_.In(pause, [this] { ClientsCome(); });
}

void World::ClientComes(std::size_t key) {
  const std::uint64_t ticket = sessions_.size() + 1;
  const auto worker = static_cast<std::uint32_t>(dice_.Between(0, kWorkers - 1));
  Guest& guest = sessions_[ticket];
  guest.port = std::make_unique<Port>(*this, worker, key);
  guest.session = std::make_unique<Session>(
      ticket, plans_[key], Session::Surroundings{agenda_, dice_, judge_, *guest.port, fault_});
  judge_.Saw("clients");
  guest.session->Start();
}

template <typename Call>
void World::ToFence(std::uint32_t worker, std::size_t key, Call call) {
  Mailbox(worker, key % kWorkers).Send([this, key, call = std::move(call)] {
    Fence& fence = fences_[key];
    call(fence);
    Drain(key, fence);
    judge_.FenceIsQuiet(key, fence);
    if (fence.free()) fences_.erase(key);
  });
}

void World::Drain(std::size_t key, Fence& fence) {
  while (const auto effect = fence.PollEffect()) {
    judge_.Said(key, *effect);
    Mailbox(key % kWorkers, effect->ticket.worker).Send([this, effect = *effect] {
      sessions_.at(effect.ticket.connection).session->Hear(effect);
    });
  }
}

void World::Port::Acquire(std::uint64_t ticket, OnConflict policy) {
  world_.ToFence(worker_, key_, [this, ticket, policy](Fence& fence) {
    world_.judge_.Asked(key_, ticket, policy);
    fence.Acquire({worker_, ticket}, policy, Epoch{++world_.epochs_});
  });
}

void World::Port::Abandon(std::uint64_t ticket) {
  world_.ToFence(worker_, key_, [this, ticket](Fence& fence) {
    world_.judge_.Abandoned(key_, ticket);
    fence.Abandon({worker_, ticket});
  });
}

void World::Port::Dropped(Epoch epoch) {
  world_.ToFence(worker_, key_, [this, epoch](Fence& fence) {
    world_.judge_.Dropped(key_, epoch);
    fence.Dropped(epoch);
  });
}

void World::Port::Answered(Epoch epoch) {
  world_.ToFence(worker_, key_, [epoch](Fence& fence) { fence.Answered(epoch); });
}

void World::Port::Release(Epoch epoch) {
  world_.ToFence(worker_, key_, [this, epoch](Fence& fence) {
    world_.judge_.Released(key_, epoch);
    fence.Release(epoch);
  });
}

}  // namespace connguard::sim
