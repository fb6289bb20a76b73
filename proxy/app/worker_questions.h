// WorkerQuestions: what another thread wants to know of the workers.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/worker.h"
#include "connguard/types.h"

namespace connguard {

// Asks workers over their mailboxes and waits for all of them until one deadline. A worker that has
// not answered by then is not asked again before it has: questions never pile up in the mailbox of
// one that hangs, and who asks waits for it once. Belongs to one thread; the workers may live
// longer than it, and have to live as long.
class WorkerQuestions {
 public:
  explicit WorkerQuestions(std::vector<Worker*> workers, Millis patience = Millis{1'000});

  std::size_t size() const { return workers_.size(); }

  // `ask(worker)` on each worker's thread; what it returns, in the order of the workers. Throws
  // Unavailable: one owes an earlier answer (then nobody is asked), or does not answer in time
  // (then those that have not begun will not carry it out).
  template <typename Ask>
  auto AskAll(const Ask& ask) {
    return Collect(std::span<Worker* const>(workers_), 0, ask);
  }

  // The same of worker `index` alone.
  template <typename Ask>
  std::invoke_result_t<const Ask&, Worker&> AskOne(std::size_t index, const Ask& ask) {
    auto answers = Collect(std::span<Worker* const>(workers_).subspan(index, 1), index, ask);
    return std::move(answers.front());
  }

 private:
  enum class Debt : std::uint8_t {
    kNone,
    kAsked,
    kBegun,      // its answer is being made
    kWithdrawn,  // nobody waits any more, but the question is still in the mailbox
  };

  // Shared with the questions in the mailboxes, which may be read when nobody waits any more.
  class Ledger {
   public:
    explicit Ledger(std::size_t workers) : debts_(workers, Debt::kNone) {}

    void Ask(std::size_t first, std::size_t count);
    void Await(std::size_t first, std::size_t count, Millis patience);
    // By the worker. False: it need not answer.
    bool Begin(std::size_t worker);
    void Settle(std::size_t worker);

   private:
    // The first of them that owes an answer.
    std::optional<std::size_t> Debtor(std::size_t first, std::size_t count) const;

    std::mutex mutex_;
    std::condition_variable settled_;
    std::vector<Debt> debts_;
  };

  template <typename Ask>
  auto Collect(std::span<Worker* const> workers, std::size_t first, const Ask& ask) {
    using Answer = std::invoke_result_t<const Ask&, Worker&>;
    // Each place is its worker's until that has settled, and whoever is last takes them away.
    const auto places = std::make_shared<std::vector<std::optional<Answer>>>(workers.size());
    ledger_->Ask(first, workers.size());
    for (std::size_t i = 0; i < workers.size(); ++i) {
      workers[i]->Post([places, i, ask, ledger = ledger_, debtor = first + i](Worker& self) {
        if (ledger->Begin(debtor)) (*places)[i] = ask(self);
        ledger->Settle(debtor);
      });
    }
    ledger_->Await(first, workers.size(), patience_);
    std::vector<Answer> answers;
    for (std::optional<Answer>& place : *places) answers.push_back(*std::move(place));
    return answers;
  }

  const std::vector<Worker*> workers_;
  const Millis patience_;
  const std::shared_ptr<Ledger> ledger_;
};

}  // namespace connguard
