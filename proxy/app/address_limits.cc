// The bucket is a point in time: when it will be full again. Each handshake moves it one interval
// on, and it may lie a whole bucket ahead (the virtual scheduling of ATM's GCRA, ITU-T I.371).
#include "app/address_limits.h"

#include <algorithm>
#include <functional>
#include <random>

namespace connguard {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kBucket = 2s;  // how far ahead: twice the rate

std::size_t Seed() {
  std::random_device random;
  return std::size_t{random()} << 32 | random();
}

}  // namespace

std::size_t AddressLimits::Hash::operator()(const Key& key) const {
  std::array<char, sizeof(Key) + sizeof(seed)> text{};
  auto* const rest = std::copy_n(reinterpret_cast<const char*>(&seed), sizeof(seed), text.begin());
  std::copy(key.begin(), key.end(), rest);
  return std::hash<std::string_view>{}({text.data(), text.size()});
}

AddressLimits::AddressLimits(std::size_t per_ip, std::size_t per_second, std::size_t most_idle)
    : hash_{Seed()},
      most_idle_(std::max<std::size_t>(most_idle / kShards, 1)),
      per_ip_(per_ip),
      per_second_(per_second) {
  for (Shard& shard : shards_) shard.entries = decltype(shard.entries)(0, hash_);
}

AddressLimits::~AddressLimits() = default;

void AddressLimits::SetLimits(std::size_t per_ip, std::size_t per_second) {
  per_ip_ = per_ip;
  per_second_ = per_second;
}

AddressLimits::Key AddressLimits::KeyOf(const IpAddress& ip) {
  Key key{};
  if (ip.v6) {
    std::copy_n(ip.bytes.begin(), 8, key.begin());
  } else {
    key[10] = key[11] = 0xFF;
    std::copy_n(ip.bytes.begin(), 4, key.begin() + 12);
  }
  return key;
}

AddressLimits::Shard& AddressLimits::ShardOf(const Key& key) {
  // Not the bits that the map takes for its buckets.
  return shards_[(hash_(key) >> 32) % kShards];
}

// Forgets what need not be remembered: a few at a time, and more than can come in the meantime.
void AddressLimits::Sweep(Shard& shard, TimePoint now) const {
  for (int i = 0; i < 2 && !shard.idle.empty(); ++i) {
    const auto oldest = shard.entries.find(shard.idle.front());
    if (oldest->second.full_at > now && shard.idle.size() <= most_idle_) return;
    shard.entries.erase(oldest);
    shard.idle.pop_front();
  }
}

bool AddressLimits::Connect(const IpAddress& ip) {
  const std::size_t most = per_ip_;
  const Key key = KeyOf(ip);
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto [place, fresh] = shard.entries.try_emplace(key);
  Entry& entry = place->second;
  if (most > 0 && entry.connections >= most) return false;
  if (entry.connections++ == 0 && !fresh) shard.idle.erase(entry.idle);
  return true;
}

AddressLimits::Place::~Place() {
  if (limits_ != nullptr) limits_->Disconnect(key_);
}

void AddressLimits::Disconnect(const Key& key) {
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto known = shard.entries.find(key);
  if (known == shard.entries.end() || known->second.connections == 0) return;
  Entry& entry = known->second;
  if (--entry.connections > 0) return;
  if (entry.full_at == TimePoint::min() || per_second_ == 0) {  // no handshake to remember
    shard.entries.erase(known);
    return;
  }
  entry.idle = shard.idle.insert(shard.idle.end(), key);
  Sweep(shard, TimePoint::min());
}

bool AddressLimits::Handshake(const IpAddress& ip, TimePoint now) {
  const std::size_t rate = per_second_;
  if (rate == 0) return true;
  const auto interval = std::chrono::nanoseconds(1s) / static_cast<std::int64_t>(rate);
  const Key key = KeyOf(ip);
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto [place, fresh] = shard.entries.try_emplace(key);
  Entry& entry = place->second;
  if (fresh) {
    entry.idle = shard.idle.insert(shard.idle.end(), key);
  } else if (entry.connections == 0) {  // it has been idle for the shortest time now
    shard.idle.splice(shard.idle.end(), shard.idle, entry.idle);
  }
  const TimePoint full_at = std::max(entry.full_at, now) + interval;
  const bool allowed = full_at - now <= kBucket;
  if (allowed) entry.full_at = full_at;
  Sweep(shard, now);
  return allowed;
}

std::size_t AddressLimits::size() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace connguard
