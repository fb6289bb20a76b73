// FenceShard: the fences of the keys that one worker owns, and FenceClient: every worker's way to
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "admin/session_info.h"
#include "connguard/fence.h"

namespace connguard {

class Worker;

// The owner's side. Owned by one worker; only errands reach it.
class FenceShard {
 public:
  explicit FenceShard(Worker& worker);

  void Acquire(const std::string& key, Ticket ticket, OnConflict policy);
  void Abandon(const std::string& key, Ticket ticket);
  void Dropped(const std::string& key, Epoch epoch);
  void Answered(const std::string& key, Epoch epoch);
  void Release(const std::string& key, Epoch epoch);

  // For the admin endpoint.
  std::vector<KeyInfo> Describe() const;

 private:
  using Fences = std::unordered_map<std::string, Fence>;
  using Place = Fences::iterator;

  // `asker`: whose Acquire it is; a grant to anybody else had to wait.
  void Deliver(Place at, const Ticket* asker = nullptr);
  void Count(const FenceEffect& effect, const Ticket* asker);

  Worker& worker_;
  std::uint64_t last_epoch_ = 0;
  Fences fences_;  // only keys that are not free
};

// A lease as its holder (or its waiter) sees it: remembers key and ticket, finds the owner. Every
// call is an errand to the worker that owns the key, also when that is this one.
class FenceClient {
 public:
  FenceClient(Worker& worker, std::string key, Ticket ticket);

  void Acquire(OnConflict policy);
  void Abandon();
  void Dropped(Epoch epoch);
  void Answered(Epoch epoch);
  void Release(Epoch epoch);

  const std::string& key() const { return key_; }
  bool fenced() const { return !key_.empty(); }
  // What the client brought, without the upstream's name; empty when not fenced.
  std::string client_key() const;
  // For the log: a hash of what the client brought; empty when not fenced.
  std::string log_key() const;

 private:
  template <typename Action>
  void Tell(Action action);

  Worker* worker_;
  std::string key_;
  Ticket ticket_;
};

}  // namespace connguard
