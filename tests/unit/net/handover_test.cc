// Hand-over of an address between sockets that stand for processes: who gets the connections.
#include "net/handover.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <numeric>

namespace connguard {
namespace {

constexpr int kConnects = 64;
constexpr std::chrono::milliseconds kKnocksAgain{900};  // who was dropped, a second later

// The listening sockets of one process.
class Guard {
 public:
  // The first one listens on a free port.
  explicit Guard(const Address& address, unsigned workers)
      : fds_(OpenListeners(address, workers, address_, address.port != 0)) {}

  const Address& address() const { return address_; }
  std::vector<int> sockets() const {
    std::vector<int> sockets;
    for (const Fd& fd : fds_) sockets.push_back(fd.get());
    return sockets;
  }
  std::vector<Fd> Take() { return std::move(fds_); }

  // How many connections each socket has got since the last call.
  std::vector<int> Accept() const {
    std::vector<int> counts;
    for (const Fd& fd : fds_) {
      counts.push_back(0);
      while (Fd(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC))) ++counts.back();
    }
    return counts;
  }
  int AcceptAll() const {
    const std::vector<int> counts = Accept();
    return std::accumulate(counts.begin(), counts.end(), 0);
  }

 private:
  Address address_;
  std::vector<Fd> fds_;
};

// Every one of them is there at once, and none is refused.
void Connect(const Address& address) {
  const SocketAddress name = ParseLiteral(address).front();
  for (int i = 0; i < kConnects; ++i) {
    const Fd fd(socket(name.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(fd.get(), name.get(), name.size), 0);
  }
}

class HandoverTest : public testing::TestWithParam<const char*> {
 protected:
  Address Free() const { return {.host = GetParam(), .port = 0, .path = {}}; }

  // From `older` to `newer`, as two processes would do it.
  static void HandOver(Guard& older, const Guard& newer) {
    const std::vector<int> own = older.sockets();
    ASSERT_TRUE(SteerToOthers(own, OthersListening(own)));
    Connect(newer.address());
    EXPECT_EQ(older.AcceptAll(), 0);
    EXPECT_EQ(newer.AcceptAll(), kConnects);
    const bool fewer = newer.sockets().size() < own.size();
    CloseSteered(older.Take(), own, [&] {
      if (!fewer) ExpectServedAtOnce(newer);
    });
    ExpectAllServed(newer);
  }

  static void ExpectServedAtOnce(const Guard& guard) {
    const auto begin = std::chrono::steady_clock::now();
    Connect(guard.address());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, kKnocksAgain);
    EXPECT_EQ(guard.AcceptAll(), kConnects);
  }

  // Each of its sockets gets some of who connects.
  static void ExpectAllServed(const Guard& guard) {
    Connect(guard.address());
    int sum = 0;
    for (const int count : guard.Accept()) {
      EXPECT_GT(count, 0);
      sum += count;
    }
    EXPECT_EQ(sum, kConnects);
  }
};

TEST_P(HandoverTest, OthersAreCountedByAddress) {
  const Guard one(Free(), 2);
  const Guard elsewhere(Free(), 1);
  EXPECT_EQ(OthersListening(one.sockets()), 0U);
  {
    const Guard other(one.address(), 3);
    EXPECT_EQ(OthersListening(one.sockets()), 3U);
    EXPECT_EQ(OthersListening(other.sockets()), 2U);
  }
  EXPECT_EQ(OthersListening(one.sockets()), 0U);
}

TEST_P(HandoverTest, WithoutOthersThereIsNobodyToSteerTo) {
  const Guard one(Free(), 1);
  EXPECT_FALSE(SteerToOthers(one.sockets(), 0));
}

TEST_P(HandoverTest, EachOfARowOfGuardsTakesOverWhole) {
  Guard first(Free(), 2);
  Guard second(first.address(), 2);
  HandOver(first, second);
  Guard third(first.address(), 2);
  // Until then both serve.
  Connect(first.address());
  const int got = second.AcceptAll();
  EXPECT_GT(got, 0);
  EXPECT_EQ(got + third.AcceptAll(), kConnects);
  EXPECT_LT(got, kConnects);
  HandOver(second, third);
  Guard fourth(first.address(), 5);
  HandOver(third, fourth);
  Guard fifth(first.address(), 1);
  HandOver(fourth, fifth);
  Guard sixth(first.address(), 3);
  HandOver(fifth, sixth);
}

TEST_P(HandoverTest, WhoMeetsASocketThatIsAboutToCloseComesToTheNewGuardLater) {
  Guard older(Free(), 4);
  const Guard newer(older.address(), 1);
  const std::vector<int> own = older.sockets();
  ASSERT_TRUE(SteerToOthers(own, 1));
  const SocketAddress name = ParseLiteral(older.address()).front();
  std::vector<Fd> clients;
  CloseSteered(older.Take(), own, [&] {
    for (int i = 0; i < kConnects; ++i) clients.push_back(Dial(name));
  });
  std::size_t served = 0;
  pollfd one{.fd = newer.sockets().front(), .events = POLLIN, .revents = 0};
  while (served < clients.size() && poll(&one, 1, 20'000) == 1) {
    served += static_cast<std::size_t>(newer.AcceptAll());
  }
  EXPECT_EQ(served, clients.size());
  for (const Fd& client : clients) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    EXPECT_EQ(error, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Ip, HandoverTest, testing::Values("127.0.0.1", "::1"),
                         [](const auto& p) { return p.param[0] == ':' ? "V6" : "V4"; });

}  // namespace
}  // namespace connguard
