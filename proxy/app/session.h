// Session: whatever a worker does for one client connection, or for what is left of one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "admin/session_info.h"
#include "app/generation.h"
#include "connguard/fence.h"
#include "net/conn.h"

namespace connguard {

class Worker;

// Names a session on its worker: slot and generation, never reused.
using SessionId = std::uint64_t;

// Owned by its worker; ends by Retire(), which takes effect when the running callbacks have
// returned.
class Session : public ConnHandler {
 public:
  // `generation`: what the session goes by to its end; none where the newest is right.
  explicit Session(Worker& worker, std::shared_ptr<const Generation> generation = nullptr)
      : worker_(worker), generation_(std::move(generation)) {}
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The worker has given it a place: begin.
  virtual void Start() noexcept = 0;

  // What a fence has to say. False: not wanted (any more); a grant then goes back at once.
  virtual bool OnFence(const FenceEffect& /*effect*/) noexcept { return false; }

  // The guard is stopping: end as soon as that hurts nobody, but what can go on not before `at`.
  virtual void OnDrain(TimePoint at) noexcept = 0;
  // The time for that is over: say so to the peers. The process ends in a moment.
  virtual void OnCut() noexcept {}

  // Bytes that it holds for its peers, its connections' queues included.
  virtual Bytes buffered() const { return 0; }
  // Memory is short, and this session holds the most of it: end its client.
  virtual void OnPressure() noexcept {}

  // Over the admin endpoint somebody wants it to end. Once more changes nothing, but for kEnd.
  virtual void OnOperator(OnShield /*shield*/) noexcept {}
  // For the admin endpoint; nullopt: nothing that an operator could want to see.
  virtual std::optional<SessionInfo> Describe(bool /*with_recorder*/) const { return std::nullopt; }

  SessionId id() const { return id_; }
  // `worker:id`, in the log and for operators.
  std::string name() const;

 protected:
  void Retire();

  const Config& config() const { return *generation_->config; }

  Worker& worker_;
  const std::shared_ptr<const Generation> generation_;

 private:
  friend class Worker;

  SessionId id_ = 0;
};

// What a session holds besides its connections' queues, as its worker counts it.
class HeldBytes {
 public:
  explicit HeldBytes(Worker& worker) : worker_(worker) {}
  ~HeldBytes() { Set(0); }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;

  void Set(Bytes now);
  Bytes value() const { return value_; }

 private:
  Worker& worker_;
  Bytes value_ = 0;
};

}  // namespace connguard
