// A listener's end: nobody who has come is left standing.
#include "net/listener.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

namespace connguard {
namespace {

using std::chrono::steady_clock;

class ListenerTest : public testing::Test {
 protected:
  ListenerTest()
      : listener_(
            loop_,
            std::move(
                OpenListeners({.host = "127.0.0.1", .port = 0, .path = {}}, 1, bound_).front()),
            [this](Fd fd, const SocketAddress&) {
              accepted_.push_back(std::move(fd));
              last_ = steady_clock::now();
              if (on_accept_) on_accept_();
            }),
        guard_([](void* self) noexcept { static_cast<ListenerTest*>(self)->loop_.Stop(); }, this) {
    loop_.timers().Arm(guard_, loop_.now() + std::chrono::seconds(20));
  }

  void Connect() { clients_.push_back(Dial(ParseLiteral(bound_).front())); }

  void Finish(Millis quiet) {
    listener_.Finish(quiet, [this](Fd fd) {
      finished_ = std::move(fd);
      loop_.Stop();
    });
  }

  EventLoop loop_;
  Address bound_;
  std::vector<Fd> accepted_;
  std::vector<Fd> clients_;
  std::function<void()> on_accept_;
  steady_clock::time_point last_;
  Fd finished_;
  Listener listener_;
  Timer guard_;
};

TEST_F(ListenerTest, WhoWaitsIsAcceptedBeforeTheEnd) {
  for (int i = 0; i < 100; ++i) Connect();
  Finish(Millis(0));
  EXPECT_EQ(accepted_.size(), 100U);
  EXPECT_TRUE(finished_);
}

TEST_F(ListenerTest, ItEndsWhenNobodyHasComeForAWhile) {
  constexpr Millis kQuiet{30};
  on_accept_ = [this] {
    if (accepted_.size() < 4) Connect();
  };
  Connect();
  Finish(kQuiet);
  loop_.Run();
  ASSERT_TRUE(finished_);
  EXPECT_EQ(accepted_.size(), 4U);
  EXPECT_GE(steady_clock::now() - last_, kQuiet - Millis(1));
}

TEST_F(ListenerTest, WhoComesAfterTheEndIsTheNextOwners) {
  Finish(Millis(0));
  Connect();
  EXPECT_TRUE(Fd(accept(finished_.get(), nullptr, nullptr)));
  EXPECT_TRUE(accepted_.empty());
}

}  // namespace
}  // namespace connguard
