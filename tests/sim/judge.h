// The invariants: sees everything, believes no machine, and remembers the first violation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agenda.h"
#include "connguard/fence.h"
#include "plan.h"

namespace connguard::sim {

class Judge {
 public:
  Judge(const Agenda& agenda, bool tracing) : agenda_(agenda), tracing_(tracing) {}

  void Know(const Plan& plan) { keys_.push_back({plan, {}, {}, 0, 0}); }

  void Require(bool holds, std::size_t key, const std::string& what);
  bool failed() const { return !failure_.empty(); }
  // The first violation, with what happened before it when tracing.
  std::string Report() const;
  void Trace(std::size_t key, const std::string& what);

  // Counts what happened, so that a test can ask whether the rare cases were visited.
  void Saw(std::string_view what) { ++seen_[std::string(what)]; }
  const std::map<std::string, std::uint64_t>& seen() const { return seen_; }

  // Upstreams as the guard's sockets are, and as the backend's handlers are.
  void UpstreamOpened(std::size_t key);
  void UpstreamClosed(std::size_t key);
  void HandlerStarted(std::size_t key);
  void HandlerEnded(std::size_t key);

  // What the fence of a key was told and what it said. Keeps its own list of leases.
  void Asked(std::size_t key, std::uint64_t ticket, OnConflict policy);
  void Abandoned(std::size_t key, std::uint64_t ticket);
  void Dropped(std::size_t key, Epoch epoch);
  void Released(std::size_t key, Epoch epoch);
  void Said(std::size_t key, const FenceEffect& effect);
  // After each call of a fence, its effects drained.
  void FenceIsQuiet(std::size_t key, const Fence& fence);

  // When nothing can happen any more.
  void EverythingIsOver();

 private:
  struct Key {
    Plan plan;
    std::map<Epoch, bool> leases;                 // alive?
    std::map<std::uint64_t, OnConflict> waiting;  // asked, neither answered nor left
    int upstreams = 0;
    int handlers = 0;
  };

  bool AllAlive(const Key& key) const;
  bool NoneAlive(const Key& key) const;
  Fence::State Expected(const Key& key) const;
  void Granted(Key& key, const FenceEffect& effect);

  const Agenda& agenda_;
  bool tracing_;
  std::vector<Key> keys_;
  std::string failure_;
  std::deque<std::string> trace_;
  std::map<std::string, std::uint64_t> seen_;
};

}  // namespace connguard::sim
