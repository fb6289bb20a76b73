// Questions to real workers, one of which hangs.
#include "app/worker_questions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/unavailable.h"
#include "config/load.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using Clock = std::chrono::steady_clock;

constexpr unsigned kWorkers = 4;
constexpr Millis kPatience{500};
constexpr Millis kLong{20'000};

unsigned IndexOf(Worker& worker) { return worker.index(); }

ConfigInForce SomeConfig() {
  ConfigInForce config;
  config.config =
      std::make_shared<const Config>(QuickConfig("127.0.0.1:0", "127.0.0.1:1").config.value());
  for (std::size_t i = 0; i < config.config->routes.size(); ++i) config.metrics.push_back(i);
  config.addresses.resize(config.config->upstreams.size());
  return config;
}

class WorkerQuestionsTest : public ::testing::Test {
 protected:
  WorkerQuestionsTest()
      : shared_{SomeConfig(), feed_, {}, 0, {0, 0}, std::vector<Shared::Held>(kWorkers), [] {}} {
    for (unsigned i = 0; i < kWorkers; ++i) {
      workers_.push_back(std::make_unique<Worker>(shared_, i, std::vector<Fd>()));
      shared_.workers.push_back(workers_.back().get());
    }
    for (const auto& worker : workers_) worker->StartThread();
  }
  ~WorkerQuestionsTest() override {
    for (const auto& worker : workers_) {
      worker->Post([](Worker& self) { self.Stop(); });
      worker->Join();
    }
  }

  // From then on that worker waits for end_.
  void Hang(unsigned index) {
    Await(index, [this](Worker&) { end_.wait(); });
  }
  // When the worker has read all that is in its mailbox now.
  void AwaitMail(unsigned index) {
    Await(index, [](Worker&) {});
  }
  // Returns when the worker is there; then it does this.
  void Await(unsigned index, const Errand& then) {
    const auto there = std::make_shared<std::promise<void>>();
    workers_[index]->Post([there, then](Worker& worker) {
      there->set_value();
      then(worker);
    });
    there->get_future().wait();
  }

  std::latch end_{1};  // outlives the workers
  EventFeed feed_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

template <typename Call>
std::string WhyNot(const Call& call) {
  try {
    call();
  } catch (const Unavailable& error) {
    return error.what();
  }
  return {};
}

TEST_F(WorkerQuestionsTest, AnswersComeInTheWorkersOrder) {
  WorkerQuestions questions(shared_.workers, kLong);
  EXPECT_EQ(questions.AskAll(IndexOf), (std::vector<unsigned>{0, 1, 2, 3}));
  EXPECT_EQ(questions.AskOne(2, IndexOf), 2U);
  EXPECT_EQ(questions.AskAll(IndexOf).size(), kWorkers) << "nothing is owed";
}

TEST_F(WorkerQuestionsTest, AllThatHangShareOneDeadline) {
  WorkerQuestions questions(shared_.workers, kPatience);
  for (unsigned i = 0; i < kWorkers; ++i) Hang(i);
  const auto begin = Clock::now();
  EXPECT_EQ(WhyNot([&] { questions.AskAll(IndexOf); }), "Worker 0 does not answer.");
  EXPECT_GE(Clock::now() - begin, kPatience);
  EXPECT_LT(Clock::now() - begin, kWorkers * kPatience);
  end_.count_down();
}

TEST_F(WorkerQuestionsTest, WhoOwesAnAnswerIsNotAskedAgain) {
  WorkerQuestions questions(shared_.workers, kPatience);
  Hang(1);
  std::atomic<int> asked{0};
  const auto count = [&asked](Worker& worker) {
    ++asked;
    return worker.index();
  };
  EXPECT_EQ(WhyNot([&] { questions.AskAll(IndexOf); }), "Worker 1 does not answer.");
  const std::string owes = "Worker 1 has not answered an earlier request yet.";
  const auto begin = Clock::now();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(WhyNot([&] { questions.AskAll(count); }), owes);
    EXPECT_EQ(WhyNot([&] { questions.AskOne(1, count); }), owes);
  }
  EXPECT_LT(Clock::now() - begin, 50 * kPatience) << "it is not waited for again";
  EXPECT_EQ(questions.AskOne(3, IndexOf), 3U) << "the others go on";
  end_.count_down();
  AwaitMail(1);
  EXPECT_EQ(asked, 0) << "nobody was asked in vain";
  EXPECT_EQ(questions.AskAll(IndexOf).size(), kWorkers);
}

TEST_F(WorkerQuestionsTest, WhatHasNotBegunInTimeIsNotCarriedOut) {
  WorkerQuestions questions(shared_.workers, kPatience);
  Hang(2);
  std::atomic<bool> done{false};
  EXPECT_EQ(WhyNot([&] { questions.AskOne(2, [&done](Worker&) { return done = true; }); }),
            "Worker 2 does not answer.");
  end_.count_down();
  AwaitMail(2);
  EXPECT_FALSE(done);
}

TEST_F(WorkerQuestionsTest, AnAnswerThatComesWhenNobodyAsksAnyMoreIsDropped) {
  {
    WorkerQuestions questions(shared_.workers, kPatience);
    const auto slow = [this](Worker& worker) {
      end_.wait();
      return std::string(1000, static_cast<char>('a' + worker.index()));
    };
    EXPECT_EQ(WhyNot([&] { questions.AskOne(0, slow); }), "Worker 0 does not answer.");
    EXPECT_EQ(WhyNot([&] { questions.AskOne(0, IndexOf); }),
              "Worker 0 has not answered an earlier request yet.");
  }
  end_.count_down();
  AwaitMail(0);
}

TEST_F(WorkerQuestionsTest, ManyRoundsWithLateAnswersLoseNone) {
  WorkerQuestions questions(shared_.workers, Millis{1});
  int answered = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string why = WhyNot([&] {
      const auto answers = questions.AskAll([i](Worker& worker) {
        if (i % 50 == 0 && worker.index() == 3) std::this_thread::sleep_for(2ms);
        return std::to_string(i);
      });
      EXPECT_EQ(answers, std::vector<std::string>(kWorkers, std::to_string(i)));
    });
    if (why.empty()) ++answered;
  }
  for (unsigned i = 0; i < kWorkers; ++i) AwaitMail(i);
  WorkerQuestions patient(shared_.workers, kLong);
  EXPECT_EQ(patient.AskAll(IndexOf).size(), kWorkers);
  EXPECT_LT(answered, 300);
}

}  // namespace
}  // namespace connguard
