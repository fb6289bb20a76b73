// The figures that a worker keeps: plain cells, written by one thread, read by a scrape.
//
// What each is called on the metrics page: metrics_table.cc.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "connguard/close_cause.h"
#include "connguard/types.h"

namespace connguard {

// One thread writes, any thread reads. Not a read-modify-write: a plain add in the generated code.
class Counter {
 public:
  void Add(std::uint64_t n = 1) {
    cell_.store(cell_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return cell_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> cell_{0};
};

// As Counter, but goes down as well.
class Gauge {
 public:
  void Add(std::int64_t n = 1) { Set(value() + n); }
  void Sub(std::int64_t n = 1) { Set(value() - n); }
  void Set(std::int64_t n) { cell_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return cell_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> cell_{0};
};

// Upper bounds of the buckets of a histogram of times, inclusive, ascending; one more has no bound.
template <std::size_t N>
using BucketBounds = std::array<Millis, N>;

inline constexpr BucketBounds<12> kHoldBounds = {
    {Millis{5}, Millis{10}, Millis{25}, Millis{50}, Millis{100}, Millis{250}, Millis{500},
     Millis{1'000}, Millis{2'500}, Millis{5'000}, Millis{15'000}, Millis{60'000}}};
inline constexpr BucketBounds<10> kShieldBounds = {
    {Millis{100}, Millis{500}, Millis{1'000}, Millis{2'500}, Millis{5'000}, Millis{10'000},
     Millis{30'000}, Millis{60'000}, Millis{120'000}, Millis{300'000}}};

inline constexpr BucketBounds<12> kTurnBounds = {
    {Millis{100}, Millis{250}, Millis{500}, Millis{1'000}, Millis{2'500}, Millis{5'000},
     Millis{10'000}, Millis{20'000}, Millis{45'000}, Millis{90'000}, Millis{180'000},
     Millis{600'000}}};
inline constexpr BucketBounds<10> kLagBounds = {{Millis{1}, Millis{2}, Millis{5}, Millis{10},
                                                 Millis{25}, Millis{50}, Millis{100}, Millis{250},
                                                 Millis{1'000}, Millis{5'000}}};
inline constexpr BucketBounds<11> kRttBounds = {{Millis{1}, Millis{2}, Millis{5}, Millis{10},
                                                 Millis{25}, Millis{50}, Millis{100}, Millis{250},
                                                 Millis{500}, Millis{1'000}, Millis{5'000}}};

// How often a time fell into which bucket. One thread writes, any thread reads; a read during a
// write may see the one in its bucket and not yet in the sum.
template <const auto& kBounds>
class Histogram {
 public:
  static constexpr std::size_t kBuckets = kBounds.size() + 1;

  void Observe(std::chrono::nanoseconds time) {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && time > kBounds[bucket]) ++bucket;
    counts_[bucket].Add();
    if (time.count() > 0) sum_ns_.Add(static_cast<std::uint64_t>(time.count()));
  }

  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  std::uint64_t sum_ns() const { return sum_ns_.value(); }

 private:
  std::array<Counter, kBuckets> counts_;
  Counter sum_ns_;
};

// The word of each enumerator below, in order: the label's value.
enum class TunnelPhase : std::uint8_t { kDialing, kOpen, kShielded, kClosing };
inline constexpr auto kTunnelPhaseWords =
    std::to_array<std::string_view>({"dialing", "open", "shielded", "closing"});

enum class HandshakeResult : std::uint8_t {
  kAccepted,             // the upstream's 101 was passed on
  kRefusedByUpstream,    // another status of the upstream's was
  kNotFound,             // no route
  kBadRequest,           // not a sound request
  kConflict,             // another client is alive (on_conflict: reject)
  kSuperseded,           // a newer client took its place in the queue
  kWaitTimeout,          // held for session.wait
  kUpstreamUnreachable,  // no connection to the upstream
  kUpstreamTimeout,      // no answer to the handshake
  kUpstreamInvalid,      // an answer that is not sound
  kClientLeft,           // before there was an answer
  kLimit,                // limits.connections is reached
  kAddressLimit,         // limits.connections_per_ip is reached
  kRate,                 // limits.handshakes_per_second_per_ip
  kSlow,                 // no whole request in time
  kOrigin,               // routes[].origins does not name where the page comes from
  kUnauthorized,         // no token that routes[].auth believes
  kForbidden,            // the auth URL refused it
  kAuthUnavailable,      // the auth URL gave no usable answer
  kShutdown,             // the guard is stopping
  kOperator,             // ended over the admin endpoint
};
inline constexpr auto kHandshakeResultWords =
    std::to_array<std::string_view>({"accepted",         "refused_by_upstream",
                                     "not_found",        "bad_request",
                                     "conflict",         "superseded",
                                     "wait_timeout",     "upstream_unreachable",
                                     "upstream_timeout", "upstream_invalid",
                                     "client_left",      "limit",
                                     "limit_per_ip",     "rate",
                                     "timeout",          "origin",
                                     "unauthorized",     "forbidden",
                                     "auth_unavailable", "shutdown",
                                     "operator"});

enum class TurnOutcome : std::uint8_t {
  kDelivered,  // ended while its client was there
  kOrphaned,   // ended while shielded
  kAborted,    // its upstream ended first
  kOverdue,    // given up after turn.max
};
inline constexpr auto kTurnOutcomeWords =
    std::to_array<std::string_view>({"delivered", "orphaned", "aborted", "overdue"});

// What became of those who asked for a session key, and of those who held it.
enum class FenceOutcome : std::uint8_t {
  kGranted,           // at once
  kGrantedAfterWait,  // after the session before was over
  kSuperseded,        // a newer client took the waiter's place
  kConflict,          // the holder's client is alive (on_conflict: reject)
  kAbandoned,         // the waiter left, or had waited for session.wait
  kEvicted,           // a holder's client, by a newer one
};
inline constexpr auto kFenceOutcomeWords = std::to_array<std::string_view>(
    {"granted", "granted_after_wait", "superseded", "conflict", "abandoned", "evicted"});

// The Close that a client got or sent.
enum class CodeClass : std::uint8_t {
  kNone,  // there was none, or none with a code
  k1000,
  k1001,
  k1xxx,  // the protocol's others
  k3xxx,
  k4xxx,
};
inline constexpr auto kCodeClassWords =
    std::to_array<std::string_view>({"none", "1000", "1001", "1xxx", "3xxx", "4xxx"});
constexpr CodeClass CodeClassOf(CloseCode code) {
  switch (code) {
    case CloseCode::kNone:
    case CloseCode::kAbnormal:
      return CodeClass::kNone;
    case CloseCode::kNormal:
      return CodeClass::k1000;
    case CloseCode::kGoingAway:
      return CodeClass::k1001;
    default:
      break;
  }
  const auto number = static_cast<unsigned>(code);
  return number < 3000 ? CodeClass::k1xxx : number < 4000 ? CodeClass::k3xxx : CodeClass::k4xxx;
}

enum class HttpClass : std::uint8_t { k1xx, k2xx, k3xx, k4xx, k5xx };
inline constexpr auto kHttpClassWords =
    std::to_array<std::string_view>({"1xx", "2xx", "3xx", "4xx", "5xx"});
// The class of a status code; anything outside 100–499 counts as 5xx.
constexpr HttpClass ClassOf(int status) {
  return status >= 100 && status < 500 ? static_cast<HttpClass>(status / 100 - 1) : HttpClass::k5xx;
}

enum class Side : std::uint8_t { kClient, kUpstream };
inline constexpr auto kSideWords = std::to_array<std::string_view>({"client", "upstream"});

enum class TlsHandshake : std::uint8_t { kFull, kResumed, kFailed };
inline constexpr auto kTlsHandshakeWords =
    std::to_array<std::string_view>({"full", "resumed", "failed"});

// One cell per enumerator.
template <typename Cell, typename Enum, std::size_t N>
class CellsBy {
 public:
  Cell& operator[](Enum which) { return cells_[static_cast<std::size_t>(which)]; }
  const Cell& operator[](Enum which) const { return cells_[static_cast<std::size_t>(which)]; }
  const Cell& at(std::size_t index) const { return cells_[index]; }

 private:
  std::array<Cell, N> cells_;
};

// No two workers write to one cache line.
inline constexpr std::size_t kCacheLine = 64;

struct alignas(kCacheLine) RouteMetrics {
  Counter bytes_up;     // from the client to the upstream, as received, frame headers included
  Counter bytes_down;   // from the upstream to the client
  Counter messages_up;  // whole WebSocket messages
  Counter messages_down;
  CellsBy<Gauge, TunnelPhase, kTunnelPhaseWords.size()> tunnels;
  CellsBy<Counter, HandshakeResult, kHandshakeResultWords.size()> handshakes;
  Histogram<kHoldBounds> handshake_hold;  // from Acquire to the grant or the refusal
  CellsBy<Counter, TurnOutcome, kTurnOutcomeWords.size()> turns;
  // From the first byte of the client's message to the turn's end.
  CellsBy<Histogram<kTurnBounds>, TurnOutcome, kTurnOutcomeWords.size()> turn_duration;
  Gauge turns_in_flight;
  Histogram<kShieldBounds> shield;          // from the drop to the end of the shield
  Histogram<kShieldBounds> upstream_stall;  // from a pong that was overdue to the next byte
  using ClosesByCode = CellsBy<Counter, CodeClass, kCodeClassWords.size()>;
  CellsBy<ClosesByCode, CloseCause, kCloseCauses> closes;  // a kilobyte
  CellsBy<Counter, HttpClass, kHttpClassWords.size()>
      http_requests;  // plain ones, when their answer is over
};

// Stands for what has no route, where an index of a route is asked for.
inline constexpr std::size_t kNoRoute = std::numeric_limits<std::size_t>::max();

// All figures of one worker. Written by its thread only, read by any; lives as long as the page
// that shows it. Routes are numbered as they appear, over all configurations, and none is ever
// taken away: a counter never goes back.
class alignas(kCacheLine) WorkerMetrics {
 public:
  explicit WorkerMetrics(std::size_t routes) { AddRoutes(routes); }

  // From now on there are so many routes; never fewer than before.
  void AddRoutes(std::size_t count) {
    const std::lock_guard lock(routes_mutex_);
    while (routes_.size() < count) routes_.push_back(std::make_unique<RouteMetrics>());
  }

  // Takes a lock: keep the reference. It stays good.
  RouteMetrics& route(std::size_t index) {
    const std::lock_guard lock(routes_mutex_);
    return *routes_[index];
  }
  // kNoRoute: what has none. A route that the worker does not know yet has figures of nothing.
  const RouteMetrics& route(std::size_t index) const {
    static const RouteMetrics kNothing;
    if (index == kNoRoute) return unrouted_;
    const std::lock_guard lock(routes_mutex_);
    return index < routes_.size() ? *routes_[index] : kNothing;
  }

  // For what failed before it had a route: shown with the label route="".
  RouteMetrics& unrouted() { return unrouted_; }

  Gauge connections;  // open client connections
  Counter connections_accepted;
  Gauge fence_keys;         // keys of this worker's shard that are not free
  Counter fence_takeovers;  // holders evicted by a newer client
  CellsBy<Counter, FenceOutcome, kFenceOutcomeWords.size()> fence_outcomes;
  Histogram<kLagBounds> event_loop_lag;  // one for each turn of the loop that a timer was due in
  CellsBy<Counter, Side, kSideWords.size()> heartbeat_timeouts;
  CellsBy<Histogram<kRttBounds>, Side, kSideWords.size()> ping_rtt;
  using TlsHandshakes = CellsBy<Counter, TlsHandshake, kTlsHandshakeWords.size()>;
  CellsBy<TlsHandshakes, Side, kSideWords.size()> tls_handshakes;
  Counter barrier_timeouts;
  Gauge buffered_bytes;      // held for peers that do not take them, or until they are judged
  Counter buffer_evictions;  // sessions ended for limits.buffer_total
  Gauge upstream_idle;       // upstream connections that wait for their next request
  Counter upstream_reuses;   // requests that went on such a connection
  Counter upstream_retries;  // of them, those that were sent again on a fresh one

 private:
  mutable std::mutex routes_mutex_;
  std::vector<std::unique_ptr<RouteMetrics>> routes_;
  RouteMetrics unrouted_;
};

}  // namespace connguard
