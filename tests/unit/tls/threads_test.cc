// One TlsServer, one TlsClient and their keys, from several threads.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tls/ticket_keys.h"
#include "unit/tls/tls_pair.h"

namespace connguard::testing {
namespace {

TEST(TlsThreadsTest, ConnectionsOfOneServerInTwoThreads) {
  TlsWorld world;
  // Its keys rotate with nearly every connection.
  std::atomic<int> calls = 0;
  world.keys = std::make_shared<TicketKeys>([&] {
    return std::chrono::steady_clock::time_point(std::chrono::minutes(13) * calls.fetch_add(1));
  });
  const auto server = world.Server();
  const auto client = world.Client();
  std::atomic<int> good = 0;
  std::atomic<int> resumed = 0;
  constexpr int kEach = 30;
  const auto work = [&] {
    for (int i = 0; i < kEach; ++i) {
      TlsPair pair(*client, *server);
      pair.Handshake();
      pair.client.Send("ping");
      pair.server.Send("pong");
      pair.Exchange();
      good += pair.server.Read() == "ping" && pair.client.Read() == "pong" ? 1 : 0;
      resumed += pair.client.stream->resumed() ? 1 : 0;
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(good, 2 * kEach);
  EXPECT_GT(resumed, 0);
}

}  // namespace
}  // namespace connguard::testing
