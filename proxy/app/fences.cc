// Errands between sessions and the fences that they need.
#include "app/fences.h"

#include <functional>
#include <utility>

#include "app/worker.h"
#include "log/log.h"

namespace connguard {

FenceShard::FenceShard(Worker& worker) : worker_(worker) {}

void FenceShard::Acquire(const std::string& key, Ticket ticket, OnConflict policy) {
  // Unique over all workers: each counts in steps of their number.
  const Epoch fresh{++last_epoch_ * worker_.workers() + worker_.index()};
  Fence& fence = fences_[key];
  fence.Acquire(ticket, policy, fresh);
  Deliver(key, fence);
}

void FenceShard::Abandon(const std::string& key, Ticket ticket) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Abandon(ticket);
  Deliver(key, found->second);
}

void FenceShard::Dropped(const std::string& key, Epoch epoch) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Dropped(epoch);
  Deliver(key, found->second);
}

void FenceShard::Answered(const std::string& key, Epoch epoch) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Answered(epoch);
  Deliver(key, found->second);
}

void FenceShard::Release(const std::string& key, Epoch epoch) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Release(epoch);
  Deliver(key, found->second);
}

void FenceShard::Deliver(const std::string& key, Fence& fence) {
  while (const auto effect = fence.PollEffect()) {
    if (effect->kind == FenceEffect::Kind::kEvict) worker_.metrics().fence_takeovers.Add();
    worker_.Send(effect->ticket.worker,
                 [key, effect = *effect](Worker& worker) { worker.DeliverFence(key, effect); });
  }
  if (fence.free()) fences_.erase(key);
  worker_.metrics().fence_keys.Set(static_cast<std::int64_t>(fences_.size()));
}

FenceClient::FenceClient(Worker& worker, std::string key, Ticket ticket)

    : worker_(&worker), key_(std::move(key)), ticket_(ticket) {}

std::string FenceClient::log_key() const {
  // Up to the NUL stands the upstream's name.
  return fenced() ? KeyHash(std::string_view(key_).substr(key_.find('\0') + 1)) : std::string();
}

template <typename Action>
void FenceClient::Tell(Action action) {
  if (!fenced()) return;
  const auto owner = static_cast<unsigned>(std::hash<std::string>{}(key_) % worker_->workers());
  worker_->Send(owner, [key = key_, action](Worker& worker) { action(worker.fences(), key); });
}

void FenceClient::Acquire(OnConflict policy) {
  Tell([ticket = ticket_, policy](FenceShard& shard, const std::string& key) {
    shard.Acquire(key, ticket, policy);
  });
}

void FenceClient::Abandon() {
  Tell([ticket = ticket_](FenceShard& shard, const std::string& key) {
    shard.Abandon(key, ticket);
  });
}

void FenceClient::Dropped(Epoch epoch) {
  Tell([epoch](FenceShard& shard, const std::string& key) { shard.Dropped(key, epoch); });
}

void FenceClient::Answered(Epoch epoch) {
  Tell([epoch](FenceShard& shard, const std::string& key) { shard.Answered(key, epoch); });
}

void FenceClient::Release(Epoch epoch) {
  Tell([epoch](FenceShard& shard, const std::string& key) { shard.Release(key, epoch); });
}

}  // namespace connguard
