// A configuration that is sound on paper and cannot be put in force.
#include "app/reloader.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <uv.h>

#include <string>
#include <vector>

#include "config/load.h"

namespace connguard {
namespace {

class ReloaderTest : public testing::Test {
 protected:
  ReloaderTest() { uv_loop_init(&loop_); }
  ~ReloaderTest() override {
    resolver_.Stop();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  static std::shared_ptr<const Config> Towards(const std::string& upstream) {
    return std::make_shared<const Config>(QuickConfig("127.0.0.1:0", upstream).config.value());
  }
  // What the file says. A name that libuv refuses to look up, in the next turn of the loop, is
  // longer than a file may have it.
  LoadResult File() {
    niceness_ = getpriority(PRIO_PROCESS, 0);
    LoadResult loaded = QuickConfig("127.0.0.1:0", upstream_);
    if (loaded.config && long_name_) loaded.config->upstreams[0].address.host.assign(300, 'a');
    return loaded;
  }
  Reloader::Done Note() {
    return [this](const ReloadOutcome& outcome) { outcomes_.push_back(outcome); };
  }

  uv_loop_t loop_{};
  std::string upstream_ = "127.0.0.1:2";  // what the file names
  bool long_name_ = false;
  int niceness_ = 0;     // of the thread that read it
  std::string why_not_;  // what `apply` says
  int applied_ = 0;
  std::vector<ReloadOutcome> outcomes_;
  ProcessState state_;
  EventFeed feed_;
  Resolver resolver_{&loop_, [this](const Address&, const std::vector<SocketAddress>&) {
                       reloader_.Resume();
                       uv_stop(&loop_);
                     }};
  std::shared_ptr<const Config> first_ = Towards("127.0.0.1:1");
  Reloader reloader_{first_,
                     {.load = [this] { return File(); }, .file = "guard.yaml", .watch = false},
                     resolver_,
                     state_,
                     feed_,
                     [this](const std::shared_ptr<const Config>&) {
                       ++applied_;
                       return why_not_;
                     }};
};

// So that the workers go first where cores are few.
TEST_F(ReloaderTest, TheFileIsReadBehindTheWorkers) {
  constexpr int kLast = 19;
  const int before = getpriority(PRIO_PROCESS, 0);  // Linux: of this thread
  if (before == kLast) GTEST_SKIP() << "these tests run behind everything themselves";
  reloader_.Reload("signal", Note());
  EXPECT_GT(niceness_, before);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST_F(ReloaderTest, WhatCannotBePutInForceIsRejected) {
  why_not_ = "tls/server.key: No such file or directory";
  reloader_.Reload("signal", Note());
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].kind, ReloadOutcome::Kind::kRejected);
  ASSERT_EQ(outcomes_[0].errors.size(), 1U);
  EXPECT_NE(outcomes_[0].errors[0].find("guard.yaml"), std::string::npos);
  EXPECT_NE(outcomes_[0].errors[0].find(why_not_), std::string::npos);
  EXPECT_EQ(&reloader_.in_force(), first_.get());
  EXPECT_EQ(state_.generation, 1U);
  EXPECT_EQ(state_.reloads_rejected, 1U);
  EXPECT_EQ(state_.reloads_applied, 0U);
  EXPECT_FALSE(state_.last_reload_ok);
}

TEST_F(ReloaderTest, ItIsTriedAgainAndTaken) {
  why_not_ = "not yet";
  reloader_.Reload("signal", Note());
  why_not_.clear();
  reloader_.Reload("signal", Note());
  ASSERT_EQ(outcomes_.size(), 2U);
  EXPECT_EQ(outcomes_[1].kind, ReloadOutcome::Kind::kApplied);
  EXPECT_EQ(applied_, 2);
  EXPECT_NE(&reloader_.in_force(), first_.get());
  EXPECT_EQ(state_.generation, 2U);
  EXPECT_TRUE(state_.last_reload_ok);
}

// The second takes the place of the first, whose asker is told its outcome.
TEST_F(ReloaderTest, AllWhoWaitAreTold) {
  long_name_ = true;
  why_not_ = "not yet";
  reloader_.Reload("signal", Note());
  reloader_.Reload("admin", Note());
  EXPECT_TRUE(outcomes_.empty()) << "the name is still being looked up";
  uv_run(&loop_, UV_RUN_DEFAULT);
  ASSERT_EQ(outcomes_.size(), 2U);
  for (const ReloadOutcome& outcome : outcomes_) {
    EXPECT_EQ(outcome.kind, ReloadOutcome::Kind::kRejected);
  }
  EXPECT_EQ(applied_, 1);
  EXPECT_EQ(&reloader_.in_force(), first_.get());
}

// Else a refused reload would leave names behind that nobody wants.
TEST_F(ReloaderTest, NamesOfWhatWasRejectedAreForgotten) {
  long_name_ = true;
  why_not_ = "not yet";
  reloader_.Reload("signal", Note());
  uv_run(&loop_, UV_RUN_DEFAULT);
  ASSERT_EQ(outcomes_.size(), 1U);
  reloader_.Reload("signal", Note());
  EXPECT_EQ(outcomes_.size(), 1U) << "the name has to be looked up anew";
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(outcomes_.size(), 2U);
}

TEST_F(ReloaderTest, AFileThatIsNotSoundIsNotTried) {
  upstream_ = "not an address";
  reloader_.Reload("signal", Note());
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].kind, ReloadOutcome::Kind::kRejected);
  EXPECT_EQ(applied_, 0);
}

TEST_F(ReloaderTest, NothingNewIsNotPutInForce) {
  upstream_ = "127.0.0.1:1";
  reloader_.Reload("signal", Note());
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].kind, ReloadOutcome::Kind::kUnchanged);
  EXPECT_EQ(applied_, 0);
}

}  // namespace
}  // namespace connguard
