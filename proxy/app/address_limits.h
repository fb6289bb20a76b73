// AddressLimits: how much one address may have and do at a time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "config/cidr.h"
#include "connguard/types.h"

namespace connguard {

// Counts live connections per address, and its handshakes by a token bucket: `per_second` of them
// on average, twice as many at once. An IPv4 address stands for itself, an IPv6 address for its
// /64, which is what one client has of them.
//
// Thread-safe; shared by all workers, and sharded, so that they seldom wait for each other. An
// entry is forgotten when no connection of its address is left and its bucket is full again (within
// two seconds); of those that only wait for that, the oldest are forgotten beyond `most_idle`.
class AddressLimits {
 private:
  // A v4 address as v4-mapped, a v6 address's first half.
  using Key = std::array<std::uint8_t, 16>;

 public:
  // One connection that Connect has let in: Disconnect, when it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(AddressLimits& limits, const IpAddress& ip) : limits_(&limits), key_(KeyOf(ip)) {}
    ~Place();
    Place(Place&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)), key_(other.key_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(limits_, other.limits_);
      std::swap(key_, other.key_);
      return *this;
    }
    explicit operator bool() const { return limits_ != nullptr; }

   private:
    AddressLimits* limits_ = nullptr;
    Key key_{};
  };

  // 0: no limit.
  AddressLimits(std::size_t per_ip, std::size_t per_second, std::size_t most_idle = 100'000);
  ~AddressLimits();

  // For a reload: what is there stays, what comes is held to the new limits.
  void SetLimits(std::size_t per_ip, std::size_t per_second);

  // False when the address has as many connections as it may; else it has one more, until
  // Disconnect, which must be called once for it.
  bool Connect(const IpAddress& ip);
  void Disconnect(const IpAddress& ip) { Disconnect(KeyOf(ip)); }

  // False when the address has made too many handshakes; that one does not count then. `now` must
  // not go far back; workers' clocks may differ a little.
  bool Handshake(const IpAddress& ip, TimePoint now);

  // Addresses that are remembered.
  std::size_t size() const;

 private:
  struct Hash {
    Hash() : seed(0) {}
    explicit Hash(std::size_t secret) : seed(secret) {}
    std::size_t seed;  // secret: no client can choose addresses that collide
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    std::size_t connections = 0;
    TimePoint full_at = TimePoint::min();  // the bucket is
    std::list<Key>::iterator idle{};       // valid while there is no connection
  };
  // Aligned, so that two workers' locks are never on one cache line.
  struct alignas(64) Shard {
    mutable std::mutex mutex{};
    std::unordered_map<Key, Entry, Hash> entries{};
    std::list<Key> idle{};  // without a connection; the longest so first
  };
  static constexpr std::size_t kShards = 16;

  static Key KeyOf(const IpAddress& ip);
  void Disconnect(const Key& key);
  Shard& ShardOf(const Key& key);
  void Sweep(Shard& shard, TimePoint now) const;

  const Hash hash_;
  const std::size_t most_idle_;  // per shard
  std::atomic<std::size_t> per_ip_;
  std::atomic<std::size_t> per_second_;
  std::array<Shard, kShards> shards_;
};

}  // namespace connguard
