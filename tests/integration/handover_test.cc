// A stop while others listen where this guard does. The test itself is the newer guard.
#include "net/handover.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

constexpr int kKnockMillis = 50;

class HandoverTest : public GuardTest {
 protected:
  HandoverTest()
      : path_(std::filesystem::temp_directory_path() /
              ("connguard-handover-" + std::to_string(getpid()) + ".sock")) {}

  void ListenBeside() {
    Address bound;
    newer_ = OpenListeners(guard().address(), 1, bound, true);
  }

  // The sockets of the guard's that listen where the newer one does.
  std::size_t Older() const {
    const std::array<int, 1> own{newer_.front().get()};
    return OthersListening(own);
  }

  bool RefusedAtPath() const {
    try {
      TestClient knocking({.host = {}, .port = 0, .path = path_});
      return false;
    } catch (const std::system_error&) {
      return true;
    }
  }

  // In spite of the guard: all newcomers to the first socket of the group.
  void SteerToTheFirst() const {
    auto code = std::to_array<sock_filter>({BPF_STMT(BPF_RET | BPF_K, 0)});
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    ASSERT_EQ(setsockopt(newer_.front().get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                         sizeof(program)),
              0);
  }

  std::string path_;
  std::vector<Fd> newer_;
};

// Those for which nobody else is there kept their clients waiting for as long as the others.
TEST_F(HandoverTest, OnlyTheListenerThatIsTakenOverWaitsForQuiet) {
  StartGuard({.shutdown = "{drain: 60s}",
              .more_listeners = ", {name: other, bind: \"unix:" + path_ + "\"}",
              .workers = 2});
  Ends ends = OpenInTurn();
  ListenBeside();
  guard().Signal(SIGTERM);
  EXPECT_TRUE(Eventually([this] { return RefusedAtPath(); }));
  EXPECT_EQ(Older(), 2U);
  EXPECT_TRUE(Eventually([this] { return Older() == 0; }));
  AnswerAndEnd(ends);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

// The socket of a worker to which nobody came was kept, and took newcomers that nobody accepted.
TEST_F(HandoverTest, WhenTheLongestTimeIsOverEverySocketIsClosed) {
  StartGuard({.shutdown = "{drain: 60s}", .workers = 2});
  Ends ends = OpenInTurn();
  ListenBeside();
  guard().Signal(SIGTERM);
  guard().AwaitLog("handing_over");
  SteerToTheFirst();
  EXPECT_TRUE(Eventually([this] {
    guard().Connect();
    poll(nullptr, 0, kKnockMillis);
    return Older() == 0;
  }));
  AnswerAndEnd(ends);
  EXPECT_EQ(guard().AwaitExit(), 0);
}

TEST_F(HandoverTest, ASecondSignalEndsTheWaitForQuiet) {
  StartGuard({.shutdown = "{drain: 60s}", .workers = 2});
  Ends ends = OpenInTurn();
  ListenBeside();
  guard().Signal(SIGTERM);
  guard().AwaitLog("handing_over");
  guard().Signal(SIGTERM);
  EXPECT_EQ(ends.client.ReadClose(), 1012);
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  EXPECT_EQ(guard().AwaitExit(), 0);
  guard().AwaitLog("tunnel_closed");
}

}  // namespace
}  // namespace connguard::testing
