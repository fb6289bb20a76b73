// EventLoop: who is told what, and when.
#include "net/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "net/socket.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

// A watched descriptor: notes its events, and does what a test wants of it then.
class Watched {
 public:
  Watched(EventLoop& loop, int fd, std::uint32_t wanted) : fd_(fd) {
    loop.Watch(
        fd, wanted,
        [](void* self, int, std::uint32_t told) noexcept {
          auto& watched = *static_cast<Watched*>(self);
          watched.events.push_back(told);
          if (watched.then) watched.then();
        },
        this);
  }

  int fd() const { return fd_; }

  std::vector<std::uint32_t> events;
  std::function<void()> then;

 private:
  int fd_;
};

// Ends a loop after a while; what else it does then is a test's.
class After {
 public:
  After(EventLoop& loop, Millis wait, std::function<void()> then)
      : then_(std::move(then)),
        timer_([](void* self) noexcept { static_cast<After*>(self)->then_(); }, this) {
    loop.timers().Arm(timer_, loop.now() + wait);
  }

 private:
  std::function<void()> then_;
  Timer timer_;
};

struct Pair {
  Fd ours;
  Fd theirs;
};

Pair MakePair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Fd MakeEvent(unsigned value) { return Fd(eventfd(value, EFD_NONBLOCK | EFD_CLOEXEC)); }

class EventLoopTest : public testing::Test {
 protected:
  EventLoop loop_;
};

TEST_F(EventLoopTest, ADescriptorClosedAndReusedWithinABatchGetsNoStaleEvent) {
  // Two are readable at once. Whichever is told first closes the other and opens another one, which
  // the kernel gives the same number.
  std::array<Fd, 2> fds{MakeEvent(1), MakeEvent(1)};
  std::array<Watched, 2> first{Watched(loop_, fds[0].get(), EPOLLIN),
                               Watched(loop_, fds[1].get(), EPOLLIN)};
  std::unique_ptr<Watched> second;
  int number = -1;
  std::uint32_t before = 0;
  const auto replace = [&](std::size_t other) {
    if (second != nullptr) return;
    number = fds[other].get();
    before = loop_.generation(number);
    loop_.Forget(number, true);
    fds[other] = Fd();
    fds[other] = MakeEvent(0);  // never readable
    second = std::make_unique<Watched>(loop_, fds[other].get(), EPOLLIN);
    loop_.Change(first[1 - other].fd(), 0, EPOLLIN);
  };
  first[0].then = [&] { replace(1); };
  first[1].then = [&] { replace(0); };
  After end(loop_, 20ms, [&] { loop_.Stop(); });
  loop_.Run();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->fd(), number) << "the descriptor was reused";
  EXPECT_TRUE(second->events.empty());
  EXPECT_EQ(first[0].events.size() + first[1].events.size(), 1U);
  EXPECT_NE(loop_.generation(number), before) << "a callback could not tell them apart";
}

TEST_F(EventLoopTest, ADescriptorForgottenWithinABatchHearsNothing) {
  const Fd one = MakeEvent(1);
  const Fd two = MakeEvent(1);
  Watched a(loop_, one.get(), EPOLLIN);
  Watched b(loop_, two.get(), EPOLLIN);
  a.then = [&] { loop_.Forget(a.fd(), false), loop_.Forget(b.fd(), false); };
  b.then = a.then;
  After end(loop_, 20ms, [&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(a.events.size() + b.events.size(), 1U);
}

TEST_F(EventLoopTest, AnEdgeIsToldOnceUnlessItIsAskedForAgain) {
  const Fd event = MakeEvent(1);
  Watched watched(loop_, event.get(), EPOLLIN | EPOLLET);
  After again(loop_, 20ms, [&] {
    EXPECT_EQ(watched.events.size(), 1U);
    loop_.TellAgain(watched.fd());
  });
  After end(loop_, 40ms, [&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(watched.events, std::vector<std::uint32_t>(2, EPOLLIN));
}

TEST_F(EventLoopTest, AnEdgeThatIsNotWantedYetIsToldWhenItIs) {
  const Fd event = MakeEvent(1);
  Watched watched(loop_, event.get(), EPOLLET);
  After later(loop_, 20ms, [&] {
    EXPECT_TRUE(watched.events.empty());
    loop_.Change(watched.fd(), EPOLLIN, 0);
  });
  After end(loop_, 40ms, [&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(watched.events, std::vector<std::uint32_t>{EPOLLIN});
}

TEST_F(EventLoopTest, WithEdgesAFinIsToldBesideWhatCameBeforeIt) {
  Pair pair = MakePair();
  Watched watched(loop_, pair.ours.get(), EPOLLIN | EPOLLET);
  ASSERT_EQ(send(pair.theirs.get(), "x", 1, 0), 1);
  ASSERT_EQ(shutdown(pair.theirs.get(), SHUT_WR), 0);
  After end(loop_, 20ms, [&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(watched.events, std::vector<std::uint32_t>{EPOLLIN | EPOLLRDHUP});
}

TEST_F(EventLoopTest, OnlyWhatIsWantedIsTold) {
  const Pair pair = MakePair();
  ASSERT_EQ(send(pair.theirs.get(), "x", 1, 0), 1);
  Watched watched(loop_, pair.ours.get(), 0);
  watched.then = [&] {
    switch (watched.events.size()) {
      case 1:
        loop_.Change(watched.fd(), EPOLLOUT, EPOLLIN);
        break;
      case 2:
        loop_.Change(watched.fd(), EPOLLIN, 0);
        break;
      default:
        loop_.Stop();
    }
  };
  After start(loop_, 20ms, [&] {
    EXPECT_TRUE(watched.events.empty());
    loop_.Change(watched.fd(), EPOLLIN, 0);
  });
  After give_up(loop_, 10s, [&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(watched.events, (std::vector<std::uint32_t>{EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT}));
}

TEST_F(EventLoopTest, AChangeThatIsTakenBackChangesNothing) {
  const Fd event = MakeEvent(1);
  Watched watched(loop_, event.get(), EPOLLIN);
  watched.then = [&] {
    loop_.Change(watched.fd(), 0, EPOLLIN);
    loop_.Change(watched.fd(), EPOLLIN, 0);
    if (watched.events.size() == 3) loop_.Stop();
  };
  After give_up(loop_, 10s, [&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(watched.events, std::vector<std::uint32_t>(3, EPOLLIN));
}

TEST_F(EventLoopTest, AnUnknownDescriptorIsLeftAlone) {
  loop_.Change(1000, EPOLLIN, 0);
  loop_.Forget(1000, true);
}

TEST_F(EventLoopTest, TimersFireInOrderAndNeverEarly) {
  const TimePoint start = loop_.now();
  std::vector<int> order;
  After second(loop_, 20ms, [&] { order.push_back(2); });
  After third(loop_, 30ms, [&] {
    order.push_back(3);
    loop_.Stop();
  });
  After first(loop_, 10ms, [&] {
    order.push_back(1);
    EXPECT_GE(std::chrono::steady_clock::now(), start + 10ms);
  });
  loop_.Run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_GE(loop_.now(), start + 30ms);
}

TEST_F(EventLoopTest, TheLoopWaitsNoLongerThanPrepareAllows) {
  int turns = 0;
  struct Context {
    EventLoop& loop;
    int& turns;
  } context{loop_, turns};
  loop_.SetPrepare(
      [](void* given) noexcept {
        auto& [loop, count] = *static_cast<Context*>(given);
        if (++count == 3) loop.Stop();
        return 1ms;
      },
      &context);
  loop_.Run();
  EXPECT_EQ(turns, 3);
}

TEST_F(EventLoopTest, ATimerThatHadToWaitForACallbackIsServedLate) {
  std::optional<std::chrono::nanoseconds> lag;
  const Fd event = MakeEvent(1);
  Watched watched(loop_, event.get(), EPOLLIN);
  After due(loop_, 10ms, [&] {
    lag = loop_.lag();
    loop_.Stop();
  });
  watched.then = [&] {
    EXPECT_EQ(loop_.lag(), std::nullopt);  // no timer is due in this turn
    const TimePoint until = loop_.now() + 60ms;
    while (std::chrono::steady_clock::now() < until) continue;
    loop_.Change(watched.fd(), 0, EPOLLIN);
  };
  loop_.Run();
  ASSERT_TRUE(lag);
  EXPECT_GE(*lag, 45ms);
}

TEST_F(EventLoopTest, ATimerThatWakesTheLoopIsServedAsLateAsItIs) {
  std::optional<std::chrono::nanoseconds> lag;
  const TimePoint start = loop_.now();
  After due(loop_, 20ms, [&] {
    lag = loop_.lag();
    loop_.Stop();
  });
  loop_.Run();
  ASSERT_TRUE(lag);
  EXPECT_GE(lag->count(), 0);
  EXPECT_LE(*lag, loop_.now() - start - 20ms);
}

TEST_F(EventLoopTest, StopEndsTheLoopAfterTheTurn) {
  const Fd event = MakeEvent(1);
  Watched watched(loop_, event.get(), EPOLLIN);
  watched.then = [&] { loop_.Stop(); };
  loop_.Run();
  EXPECT_EQ(watched.events.size(), 1U);
}

}  // namespace
}  // namespace connguard
