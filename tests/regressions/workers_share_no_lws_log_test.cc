// Two workers at once made libwebsockets fail an assertion when the guard ended: all contexts
// shared one log context, whose count of users is not atomic. Workers have no lws any more; what
// stays is that several at once share nothing (TSan), and lose no descriptor.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "net/transport.h"

namespace connguard {
namespace {

class Nobody : public ConnHandler {
 public:
  void OnConnected(Conn& /*conn*/) noexcept override {}
  void OnReceive(Conn& /*conn*/, std::span<const std::uint8_t> /*data*/) noexcept override {}
  void OnProgress(Conn& /*conn*/) noexcept override {}
  void OnEnd(Conn& /*conn*/, ConnEnd /*end*/) noexcept override {}
};

void OpenAndCloseMany(int& opened) {
  constexpr int kConnections = 4000;
  EventLoop loop;
  Transport transport(loop);
  Nobody nobody;
  for (int i = 0; i < kConnections; ++i) {
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) != 0) return;
    const auto one = transport.Adopt(Fd(pair[0]), &nobody, Adopted::kAccepted);
    const auto other = transport.Adopt(Fd(pair[1]), &nobody, Adopted::kAccepted);
    if (one->open() && other->open()) ++opened;
  }
}

TEST(RegressionTest, WorkersThatEndTogetherShareNoLogOfLws) {
  std::array<int, 4> opened{};
  std::vector<std::thread> workers;
  for (int& count : opened) workers.emplace_back([&count] { OpenAndCloseMany(count); });
  for (std::thread& worker : workers) worker.join();
  for (const int count : opened) EXPECT_EQ(count, 4000);
}

}  // namespace
}  // namespace connguard
