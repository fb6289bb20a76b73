// The invariants.
#include "judge.h"

#include <algorithm>

namespace connguard::sim {
namespace {

constexpr std::size_t kTraceLines = 80;

std::string Name(std::uint64_t ticket) { return "#" + std::to_string(ticket); }
std::string Name(Epoch epoch) { return "epoch " + std::to_string(static_cast<unsigned>(epoch)); }

const char* Word(FenceEffect::Kind kind) {
  switch (kind) {
    case FenceEffect::Kind::kGrant:
      return "grants";
    case FenceEffect::Kind::kSupersede:
      return "supersedes";
    case FenceEffect::Kind::kConflict:
      return "refuses";
    case FenceEffect::Kind::kEvict:
      return "evicts";
    case FenceEffect::Kind::kProbe:
      return "probes";
  }
  return "";
}

}  // namespace

void Judge::Trace(std::size_t key, const std::string& what) {
  if (!tracing_) return;
  const auto ms = std::chrono::duration_cast<Millis>(agenda_.now().time_since_epoch()).count();
  trace_.push_back(std::to_string(ms) + " key " + std::to_string(key) + ": " + what);
  if (trace_.size() > kTraceLines) trace_.pop_front();
}

void Judge::Require(bool holds, std::size_t key, const std::string& what) {
  if (holds || failed()) return;
  failure_ = "key " + std::to_string(key) + ": " + what;
}

std::string Judge::Report() const {
  std::string report = failure_;
  for (const std::string& line : trace_) report += "\n  " + line;
  return report;
}

void Judge::UpstreamOpened(std::size_t key) {
  Trace(key, "dials");
  ++keys_[key].upstreams;
  if (!keys_[key].plan.exclusive()) return;
  Require(keys_[key].upstreams == 1, key, "two live upstreams");
}

void Judge::UpstreamClosed(std::size_t key) {
  Trace(key, "an upstream is gone");
  --keys_[key].upstreams;
}

void Judge::HandlerStarted(std::size_t key) {
  ++keys_[key].handlers;
  if (!keys_[key].plan.strict()) return;
  Require(keys_[key].handlers == 1, key, "the backend still works on the session before");
}

void Judge::HandlerEnded(std::size_t key) { --keys_[key].handlers; }

void Judge::Asked(std::size_t key, std::uint64_t ticket, OnConflict policy) {
  Trace(key, Name(ticket) + " asks by policy " + std::to_string(static_cast<int>(policy)));
  keys_[key].waiting.emplace(ticket, policy);
}

void Judge::Abandoned(std::size_t key, std::uint64_t ticket) {
  Trace(key, Name(ticket) + " leaves");
  keys_[key].waiting.erase(ticket);
}

void Judge::Dropped(std::size_t key, Epoch epoch) {
  Trace(key, Name(epoch) + " has lost its client");
  const auto lease = keys_[key].leases.find(epoch);
  if (lease != keys_[key].leases.end()) lease->second = false;
}

void Judge::Released(std::size_t key, Epoch epoch) {
  Trace(key, Name(epoch) + " is released");
  Require(keys_[key].leases.erase(epoch) == 1, key, Name(epoch) + " released without a lease");
}

void Judge::Said(std::size_t key, const FenceEffect& effect) {
  Key& k = keys_[key];
  Saw(Word(effect.kind));
  Trace(key, std::string(Word(effect.kind)) + " " + Name(effect.ticket.connection) + ", " +
                 Name(effect.epoch));
  switch (effect.kind) {
    case FenceEffect::Kind::kGrant:
      return Granted(k, effect);
    case FenceEffect::Kind::kConflict:
      Require(!k.leases.empty(), key, "refused for a holder that is not there");
      [[fallthrough]];
    case FenceEffect::Kind::kSupersede:
      return Require(k.waiting.erase(effect.ticket.connection) == 1, key,
                     "refused, but was not waiting");
    case FenceEffect::Kind::kEvict:
    case FenceEffect::Kind::kProbe: {
      const auto lease = k.leases.find(effect.epoch);
      Require(lease != k.leases.end() && lease->second, key, "asked a holder that is not alive");
      if (effect.kind == FenceEffect::Kind::kEvict && lease != k.leases.end()) {
        lease->second = false;
      }
      return;
    }
  }
}

void Judge::Granted(Key& key, const FenceEffect& effect) {
  const auto asker = key.waiting.find(effect.ticket.connection);
  Require(asker != key.waiting.end(), key.plan.key, "granted, but was not waiting");
  if (failed()) return;
  if (asker->second == OnConflict::kShare) {
    Require(AllAlive(key), key.plan.key, "shared with a session that is finishing");
  } else {
    Require(key.leases.empty(), key.plan.key, "granted while held");
  }
  key.waiting.erase(asker);
  Require(key.leases.emplace(effect.epoch, true).second, key.plan.key, "an epoch granted twice");
}

bool Judge::AllAlive(const Key& key) const {
  return std::all_of(key.leases.begin(), key.leases.end(), [](const auto& l) { return l.second; });
}

bool Judge::NoneAlive(const Key& key) const {
  return std::none_of(key.leases.begin(), key.leases.end(), [](const auto& l) { return l.second; });
}

void Judge::FenceIsQuiet(std::size_t key, const Fence& fence) {
  const Key& k = keys_[key];
  const bool waits = !k.waiting.empty();
  Require(k.waiting.size() <= 1, key, "more than one waiter");
  Require(!waits || !k.leases.empty(), key, "a waiter before a free key");
  Require(!waits || k.waiting.begin()->second != OnConflict::kTakeover || NoneAlive(k), key,
          "a takeover that does not take over");
  Require(fence.free() == k.leases.empty(), key, "free, but leased, or the other way round");
  Require(fence.state() == Expected(k), key, "a state that does not say what is true");
}

Fence::State Judge::Expected(const Key& key) const {
  const bool waits = !key.waiting.empty();
  if (key.leases.empty()) return Fence::State::kFree;
  if (AllAlive(key)) return waits ? Fence::State::kProbing : Fence::State::kHeld;
  return waits ? Fence::State::kContended : Fence::State::kFinishing;
}

void Judge::EverythingIsOver() {
  for (const Key& key : keys_) {
    Require(key.leases.empty(), key.plan.key, "a lease was never released");
    Require(key.waiting.empty(), key.plan.key, "a waiter was forgotten");
    Require(key.upstreams == 0, key.plan.key, "an upstream was left open");
    Require(key.handlers == 0, key.plan.key, "a handler was left running");
  }
}

}  // namespace connguard::sim
