// What the service manager hears, on a socket as it listens on.
#include "app/service_notify.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "net/socket.h"

namespace connguard {
namespace {

constexpr int kPatience = 20'000;
constexpr std::uint64_t kBeat = 20;  // half of the watchdog's time, in milliseconds

// The manager's end. `name`: a path, or one of the abstract namespace, which begins with `@`.
class Manager {
 public:
  explicit Manager(const std::string& name)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() { unsetenv("NOTIFY_SOCKET"); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next message; empty when none comes within `time` (milliseconds).
  std::string Hear(int time = kPatience) const {
    pollfd one{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (poll(&one, 1, time) != 1) return {};
    std::string text(4096, '\0');
    const ssize_t size = recv(fd_.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  Fd fd_;
};

std::string PathName() {
  return std::filesystem::temp_directory_path() / ("connguard-notify-" + std::to_string(getpid()));
}
std::string AbstractName() { return "@connguard-notify-" + std::to_string(getpid()); }

TEST(ServiceNotifyTest, EachStateIsToldInItsWords) {
  const std::string path = PathName();
  {
    const Manager manager(path);
    const ServiceNotify notify;
    notify.Ready();
    EXPECT_EQ(manager.Hear(), "READY=1\nSTATUS=Serving");
    notify.Stopping();
    EXPECT_EQ(manager.Hear(), "STOPPING=1\nSTATUS=Draining");
    notify.Status("3 tunnels left\nREADY=1");
    EXPECT_EQ(manager.Hear(), "STATUS=3 tunnels left");
  }
  std::filesystem::remove(path);
}

TEST(ServiceNotifyTest, AReloadSaysWhenItBegan) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<long long>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000;
  };
  const Manager manager(AbstractName());
  const long long before = now();
  ServiceNotify().Reloading();
  const long long after = now();
  const std::string text = manager.Hear();
  const std::string head = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_TRUE(text.starts_with(head)) << text;
  const long long told = std::stoll(text.substr(head.size()));
  EXPECT_GE(told, before);
  EXPECT_LE(told, after);
}

TEST(ServiceNotifyTest, WithoutAManagerNothingHappens) {
  unsetenv("NOTIFY_SOCKET");
  ServiceNotify().Ready();
  setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
  ServiceNotify().Ready();
  unsetenv("NOTIFY_SOCKET");
}

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() : manager_(AbstractName()) {
    uv_loop_init(&loop_);
    setenv("WATCHDOG_USEC", std::to_string(2 * kBeat * 1000).c_str(), 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  }
  ~WatchdogTest() override {
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  // The loop lets go of it.
  void End(Watchdog& watchdog) {
    watchdog.Stop();
    uv_run(&loop_, UV_RUN_DEFAULT);
  }

  // Turns the loop until the manager hears something, or for `time` (milliseconds).
  std::string Hear(std::uint64_t time = kPatience) {
    const std::uint64_t end = uv_hrtime() / 1'000'000 + time;
    std::string heard;
    while (heard.empty() && uv_hrtime() / 1'000'000 < end) {
      uv_run(&loop_, UV_RUN_NOWAIT);
      heard = manager_.Hear(1);
    }
    return heard;
  }

  Manager manager_;
  uv_loop_t loop_{};
};

void AnswerAtOnce(const std::function<void()>& answered) { answered(); }

TEST_F(WatchdogTest, IsPettedAgainAndAgainWhileEveryWorkerAnswers) {
  Watchdog watchdog(&loop_, {AnswerAtOnce, AnswerAtOnce});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Hear(), "WATCHDOG=1");
  End(watchdog);
}

TEST_F(WatchdogTest, AWorkerThatHangsMakesItStarve) {
  std::function<void()> late;
  int asked = 0;
  Watchdog watchdog(&loop_, {AnswerAtOnce, [&](std::function<void()> answered) {
                               ++asked;
                               late = std::move(answered);
                             }});
  EXPECT_EQ(Hear(6 * kBeat), "");
  EXPECT_EQ(asked, 1);
  late();  // it goes on, and hangs anew
  EXPECT_EQ(Hear(), "WATCHDOG=1");
  EXPECT_EQ(Hear(6 * kBeat), "");
  EXPECT_EQ(asked, 2);
  End(watchdog);
}

TEST_F(WatchdogTest, AnAnswerMayComeWhenItHasGone) {
  std::function<void()> late;
  {
    Watchdog watchdog(&loop_, {[&](std::function<void()> answered) { late = answered; }});
    End(watchdog);
  }
  late();
}

TEST_F(WatchdogTest, IsLeftAloneWhereTheManagerHasNone) {
  unsetenv("WATCHDOG_USEC");
  Watchdog watchdog(&loop_, {AnswerAtOnce});
  EXPECT_EQ(Hear(4 * kBeat), "");
  End(watchdog);
}

TEST_F(WatchdogTest, IsNoneOfOursWhenItIsMeantForAnotherProcess) {
  setenv("WATCHDOG_PID", "1", 1);
  Watchdog watchdog(&loop_, {AnswerAtOnce});
  EXPECT_EQ(Hear(4 * kBeat), "");
  End(watchdog);
}

}  // namespace
}  // namespace connguard
