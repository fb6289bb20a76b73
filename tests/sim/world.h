// Workers, each with its shard of the fences, mailboxes between them, and a stream of clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agenda.h"
#include "connguard/fence.h"
#include "judge.h"
#include "plan.h"
#include "session.h"

namespace connguard::sim {

class World {
 public:
  World(std::uint64_t seed, Fault fault, bool tracing);

  // Lets clients come for about `steps` actions, then waits until all is over. Returns the number
  // of actions; stops at the first violation.
  std::uint64_t Run(std::uint64_t steps);

  bool failed() const { return judge_.failed(); }
  std::string Report() const { return judge_.Report(); }
  const std::map<std::string, std::uint64_t>& seen() const { return judge_.seen(); }

 private:
  static constexpr std::size_t kWorkers = 3;
  static constexpr std::size_t kKeys = 5;

  // What a session on `worker` sees of the fence of `key`.
  class Port final : public FencePort {
   public:
    Port(World& world, std::uint32_t worker, std::size_t key)
        : world_(world), worker_(worker), key_(key) {}
    void Acquire(std::uint64_t ticket, OnConflict policy) override;
    void Abandon(std::uint64_t ticket) override;
    void Dropped(Epoch epoch) override;
    void Answered(Epoch epoch) override;
    void Release(Epoch epoch) override;

   private:
    World& world_;
    std::uint32_t worker_;
    std::size_t key_;
  };

  struct Guest {
    std::unique_ptr<Port> port;
    std::unique_ptr<Session> session;
  };

  void ClientsCome();
  void ClientComes(std::size_t key);
  Pipe& Mailbox(std::size_t from, std::size_t to) { return mailboxes_[from * kWorkers + to]; }
  template <typename Call>
  void ToFence(std::uint32_t worker, std::size_t key, Call call);
  void Drain(std::size_t key, Fence& fence);

  Agenda agenda_;
  Dice dice_;
  Judge judge_;
  Fault fault_;
  bool open_ = true;  // clients may come
  std::uint64_t epochs_ = 0;
  std::vector<Plan> plans_;
  std::vector<Pipe> mailboxes_;
  std::map<std::size_t, Fence> fences_;  // by key; only those that are not free
  std::map<std::uint64_t, Guest> sessions_;
};

}  // namespace connguard::sim
