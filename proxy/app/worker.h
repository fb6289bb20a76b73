// Worker: one thread, one loop, its connections and its shard of the fences.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "admin/event_feed.h"
#include "admin/metrics.h"
#include "app/address_limits.h"
#include "app/fences.h"
#include "app/generation.h"
#include "app/mailbox.h"
#include "app/session.h"
#include "app/upstream_pool.h"
#include "connguard/config.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/transport.h"
#include "ws/message_inspector.h"

namespace connguard {

// A configuration as the control thread hands it to the workers.
struct ConfigInForce {
  std::shared_ptr<const Config> config;
  std::shared_ptr<const Credentials> credentials;
  std::vector<std::size_t> metrics;                   // the number of each route in the figures
  std::vector<std::vector<SocketAddress>> addresses;  // of each upstream, as far as known
};

// What all workers of a process share. Lives longer than they do.
struct Shared {
  ConfigInForce initial;
  EventFeed& feed;
  std::vector<Worker*> workers{};
  // Client connections over all workers, for limits.connections. One add per connection.
  std::atomic<std::size_t> connections{0};
  AddressLimits address_limits{0, 0};
  // What each worker holds for its peers, for limits.buffer_total. Written by its owner only.
  struct alignas(kCacheLine) Held {
    std::atomic<Bytes> bytes{0};
  };
  std::vector<Held> held{};
  // Called by a worker that was asked to shut down, when its last session has ended. Any thread.
  std::function<void()> on_idle{};
};

// Both legs of a tunnel live on the worker that accepted the client. Everything but Post() and
// metrics() belongs to the worker's own thread.
class Worker {
 public:
  Worker(Shared& shared, unsigned index, std::vector<Fd> listeners);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs the loop on a thread of its own; Join() after Stop has been posted.
  void StartThread();
  void Join();

  // From any thread.
  void Post(Errand errand) { mailbox_.Post(std::move(errand)); }
  WorkerMetrics& metrics() { return metrics_; }

  // From this worker to worker `index`; to itself without a lock or a system call, but never at
  // once.
  void Send(unsigned index, Errand errand);

  // Sessions hold so much more (or less, by wrap-around).
  void AddHeld(Bytes change) { held_ += change; }
  // Ends clients, those that hold the most first, until limits.buffer_total is kept.
  void RelieveBuffers();

  SessionId Admit(std::unique_ptr<Session> session);
  void Retire(SessionId id);
  void DeliverFence(const std::string& key, const FenceEffect& effect);

  // On each listener, in the configuration's order, accepts until nobody has come for its `quiet`;
  // then `finished` gets its number and its socket, on this worker's thread. Not after Shutdown().
  void StopAccepting(const std::vector<Millis>& quiet,
                     const std::function<void(std::size_t listener, Fd socket)>& finished);
  // Stops listening and asks every session to end, spread over at most half of `time` so that their
  // clients do not come back in one wave; Shared::on_idle is called when all have ended.
  void Shutdown(Millis time);
  // That time is over.
  void Cut();
  void Stop() { loop_.Stop(); }

  // For the admin endpoint.
  std::vector<SessionInfo> Describe() const;
  std::optional<SessionInfo> Describe(SessionId id);
  // The session's state right after; nullopt: there is none that could be ended.
  std::optional<std::string_view> EndByOperator(SessionId id, OnShield shield);
  EventFeed& feed() { return shared_.feed; }
  AddressLimits& address_limits() { return shared_.address_limits; }

  // That of a connection which has come to be; does nothing where there is no TLS.
  void CountTlsHandshake(Side side, const Conn& conn);

  // Names one answer of our own in the log. Unique enough to search for, not secret.
  std::string NewRequestId();

  // Sessions to come go by this configuration.
  void Adopt(const ConfigInForce& config);
  // Replaces what is known of where an upstream is.
  void SetAddresses(const Address& upstream, const std::vector<SocketAddress>& resolved);

  // The newest.
  const std::shared_ptr<const Generation>& generation() const { return generation_; }
  const Config& config() const { return *generation_->config; }
  unsigned index() const { return index_; }
  unsigned workers() const { return static_cast<unsigned>(shared_.workers.size()); }
  bool shutting_down() const { return shutting_down_; }
  EventLoop& loop() { return loop_; }
  TimePoint now() const { return loop_.now(); }
  Transport& transport() { return transport_; }
  UpstreamPool& pool() { return pool_; }
  FenceShard& fences() { return fences_; }
  JsonInspector& inspector() { return inspector_; }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::unique_ptr<Session> session;
  };

  Session* Find(SessionId id);
  std::vector<SessionId> Sessions() const;
  std::shared_ptr<UpstreamPlace> FindPlace(const UpstreamConfig& upstream,
                                           const std::shared_ptr<const TlsClient>& tls) const;
  void Accept(Fd fd, const SocketAddress& peer, std::size_t listener);
  Millis Prepare();
  void ReadMail();
  void RunErrands();
  void CheckIdle();
  void GiveBackMemory();
  void CheckBuffers();
  Bytes HeldByAll() const;

  Shared& shared_;
  const unsigned index_;
  WorkerMetrics metrics_{0};
  std::shared_ptr<const Generation> generation_;
  Mailbox mailbox_;
  EventLoop loop_;
  Transport transport_;
  UpstreamPool pool_;
  FenceShard fences_;
  JsonInspector inspector_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Errand> errands_;    // to itself
  std::vector<Errand> under_way_;  // of these, the ones that are being run
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::unique_ptr<Session>> retired_;  // destroyed between two turns of the loop
  std::size_t sessions_ = 0;
  std::size_t crowd_ = 0;  // the most sessions since memory was given back
  std::uint64_t request_ids_;
  Bytes held_ = 0;       // by sessions, besides their connections' queues
  Bytes published_ = 0;  // in Shared::held
  bool shutting_down_ = false;
  bool told_idle_ = false;
  std::thread thread_;
};

}  // namespace connguard
