// The guard under a service manager: what it tells, from its start to its end.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

class ServiceTest : public GuardTest {
 protected:
  ServiceTest() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string name = "@connguard-service-" + std::to_string(getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, sizeof(address.sun_path) - 2, 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    unsetenv("WATCHDOG_PID");
  }
  ~ServiceTest() override {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }

  // The next message's first variable.
  std::string Hear() const {
    std::string text(4096, '\0');
    const ssize_t size = recv(fd_.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text.substr(0, text.find('\n'));
  }

  Fd fd_;
};

TEST_F(ServiceTest, TheManagerHearsOfStartReloadAndStop) {
  StartGuard();
  EXPECT_EQ(Hear(), "READY=1");
  guard().Signal(SIGHUP);
  EXPECT_EQ(Hear(), "RELOADING=1");
  EXPECT_EQ(Hear(), "READY=1");
  guard().Signal(SIGTERM);
  EXPECT_EQ(Hear(), "STOPPING=1");
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(ServiceTest, AReloadThatIsRefusedEndsToo) {
  StartGuard();
  EXPECT_EQ(Hear(), "READY=1");
  guard().RemoveFile();
  guard().Signal(SIGHUP);
  EXPECT_EQ(Hear(), "RELOADING=1");
  EXPECT_EQ(Hear(), "READY=1");
  EXPECT_TRUE(Hear().starts_with("STATUS=Serving; the reload was refused: "));
}

TEST_F(ServiceTest, TheWatchdogIsPetted) {
  setenv("WATCHDOG_USEC", "200000", 1);
  StartGuard({.workers = 2});
  EXPECT_EQ(Hear(), "READY=1");
  EXPECT_EQ(Hear(), "WATCHDOG=1");
  EXPECT_EQ(Hear(), "WATCHDOG=1");
}

}  // namespace
}  // namespace connguard::testing
