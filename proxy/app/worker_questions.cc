// Who owes an answer.
#include "app/worker_questions.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "admin/unavailable.h"

namespace connguard {

WorkerQuestions::WorkerQuestions(std::vector<Worker*> workers, Millis patience)
    : workers_(std::move(workers)),
      patience_(patience),
      ledger_(std::make_shared<Ledger>(workers_.size())) {}

std::optional<std::size_t> WorkerQuestions::Ledger::Debtor(std::size_t first,
                                                           std::size_t count) const {
  for (std::size_t i = first; i < first + count; ++i) {
    if (debts_[i] != Debt::kNone) return i;
  }
  return std::nullopt;
}

void WorkerQuestions::Ledger::Ask(std::size_t first, std::size_t count) {
  const std::lock_guard lock(mutex_);
  if (const auto debtor = Debtor(first, count)) {
    throw Unavailable("Worker " + std::to_string(*debtor) +
                      " has not answered an earlier request yet.");
  }
  std::ranges::fill(std::span(debts_).subspan(first, count), Debt::kAsked);
}

void WorkerQuestions::Ledger::Await(std::size_t first, std::size_t count, Millis patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  if (settled_.wait_until(lock, deadline, [&] { return !Debtor(first, count); })) return;
  const std::size_t late = *Debtor(first, count);
  std::ranges::replace(std::span(debts_).subspan(first, count), Debt::kAsked, Debt::kWithdrawn);
  throw Unavailable("Worker " + std::to_string(late) + " does not answer.");
}

bool WorkerQuestions::Ledger::Begin(std::size_t worker) {
  const std::lock_guard lock(mutex_);
  if (debts_[worker] == Debt::kWithdrawn) return false;
  debts_[worker] = Debt::kBegun;
  return true;
}

void WorkerQuestions::Ledger::Settle(std::size_t worker) {
  {
    const std::lock_guard lock(mutex_);
    debts_[worker] = Debt::kNone;
  }
  settled_.notify_one();
}

}  // namespace connguard
