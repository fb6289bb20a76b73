// Errands between sessions and the fences that they need.
#include "app/fences.h"

#include <functional>
#include <string_view>
#include <utility>

#include "app/session_name.h"
#include "app/worker.h"
#include "log/log.h"

namespace connguard {

namespace {

// The upstream's name, and what the client brought.
std::pair<std::string_view, std::string_view> Split(std::string_view key) {
  const std::size_t nul = key.find('\0');
  return {key.substr(0, nul), key.substr(nul + 1)};
}

std::string_view WordOf(Fence::State state) {
  switch (state) {
    case Fence::State::kFree:
      return "free";
    case Fence::State::kHeld:
      return "held";
    case Fence::State::kFinishing:
      return "finishing";
    case Fence::State::kProbing:
      return "probing";
    case Fence::State::kContended:
      return "contended";
  }
  return {};
}

}  // namespace

FenceShard::FenceShard(Worker& worker) : worker_(worker) {}

void FenceShard::Acquire(const std::string& key, Ticket ticket, OnConflict policy) {
  // Unique over all workers: each counts in steps of their number.
  const Epoch fresh{++last_epoch_ * worker_.workers() + worker_.index()};
  const auto at = fences_.try_emplace(key).first;
  at->second.Acquire(ticket, policy, fresh);
  Deliver(at, &ticket);
}

void FenceShard::Abandon(const std::string& key, Ticket ticket) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  const Fence::State before = found->second.state();
  found->second.Abandon(ticket);
  // Else it was no waiter (any more).
  const bool left = found->second.state() != before;
  if (left) worker_.metrics().fence_outcomes[FenceOutcome::kAbandoned].Add();
  Deliver(found);
}

void FenceShard::Dropped(const std::string& key, Epoch epoch) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Dropped(epoch);
  Deliver(found);
}

void FenceShard::Answered(const std::string& key, Epoch epoch) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Answered(epoch);
  Deliver(found);
}

void FenceShard::Release(const std::string& key, Epoch epoch) {
  const auto found = fences_.find(key);
  if (found == fences_.end()) return;
  found->second.Release(epoch);
  Deliver(found);
}

std::vector<KeyInfo> FenceShard::Describe() const {
  std::vector<KeyInfo> all;
  for (const auto& [key, fence] : fences_) {
    KeyInfo& info = all.emplace_back();
    const auto [upstream, client_key] = Split(key);
    info.upstream = upstream;
    info.key = client_key;
    info.state = WordOf(fence.state());
    for (const Fence::Lease& lease : fence.leases()) {
      info.holders.push_back(
          {NameOf(lease.ticket), static_cast<std::uint64_t>(lease.epoch), lease.alive});
    }
    if (const auto waiter = fence.waiter()) info.waiter = NameOf(*waiter);
  }
  return all;
}

void FenceShard::Count(const FenceEffect& effect, const Ticket* asker) {
  WorkerMetrics& metrics = worker_.metrics();
  const auto count = [&metrics](FenceOutcome outcome) { metrics.fence_outcomes[outcome].Add(); };
  switch (effect.kind) {
    case FenceEffect::Kind::kGrant: {
      const bool at_once = asker != nullptr && effect.ticket == *asker;
      return count(at_once ? FenceOutcome::kGranted : FenceOutcome::kGrantedAfterWait);
    }
    case FenceEffect::Kind::kSupersede:
      return count(FenceOutcome::kSuperseded);
    case FenceEffect::Kind::kConflict:
      return count(FenceOutcome::kConflict);
    case FenceEffect::Kind::kEvict:
      metrics.fence_takeovers.Add();
      return count(FenceOutcome::kEvicted);
    case FenceEffect::Kind::kProbe:
      return;
  }
}

void FenceShard::Deliver(Place at, const Ticket* asker) {
  auto& [key, fence] = *at;
  while (const auto effect = fence.PollEffect()) {
    Count(*effect, asker);
    worker_.Send(effect->ticket.worker, [key = key, effect = *effect](Worker& worker) {
      worker.DeliverFence(key, effect);
    });
  }
  if (fence.free()) fences_.erase(at);
  worker_.metrics().fence_keys.Set(static_cast<std::int64_t>(fences_.size()));
}

FenceClient::FenceClient(Worker& worker, std::string key, Ticket ticket)

    : worker_(&worker), key_(std::move(key)), ticket_(ticket) {}

std::string FenceClient::client_key() const {
  return fenced() ? std::string(Split(key_).second) : std::string();
}

std::string FenceClient::log_key() const {
  return fenced() ? KeyHash(Split(key_).second) : std::string();
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
