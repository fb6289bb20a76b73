// limits.buffer_total: who holds the most goes first, and nobody else.
#include <future>
#include <string>
#include <utility>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

class BufferTotalTest : public GuardTest {
 protected:
  void SetUp() override {
    StartGuard({.upstream = "",
                .limits = "{buffer: 1MiB, buffer_total: 1536KiB, slow_client_timeout: 60s}"});
  }

  // A tunnel whose client reads nothing of what its origin sends from now on.
  Ends OpenNarrow(std::string_view target) {
    TestClient client = guard().Connect(4096);
    client.SendHandshake(target);
    OriginLeg origin = origin_.Accept();
    origin.Upgrade();
    client.ExpectStatus(101);
    return {std::move(client), std::move(origin)};
  }

  // Of `frames`, `sent` bytes are on their way: all reach the client.
  static void ExpectRest(OriginLeg& origin, TestClient& client, std::string_view frames,
                         std::size_t sent) {
    auto sending = std::async(std::launch::async, [&] { origin.Send(frames.substr(sent)); });
    EXPECT_TRUE(client.Read(frames.size()) == frames);
    sending.get();
  }

  const std::string flood_ = std::string(32 << 20, 'x');
};

TEST_F(BufferTotalTest, WhoHoldsTheMostIsEvicted) {
  auto [ann, ann_origin] = OpenNarrow("/ws/ann");
  auto [bob, bob_origin] = OpenNarrow("/ws/bob");
  const std::string frames = ann_origin.MakeFrame({.opcode = 2, .fin = false}, "") +
                             ann_origin.MakeFrame({.opcode = 0}, std::string(15 << 20, 'x'));
  EXPECT_LT(ann_origin.SendUntilStuck(frames), frames.size());
  EXPECT_GT(guard().Metric("connguard_buffered_bytes"), 1 << 20);
  EXPECT_EQ(guard().Metric("connguard_buffer_evictions_total"), 0);
  const std::size_t sent = bob_origin.SendUntilStuck(frames);
  EXPECT_LT(sent, frames.size());
  guard().AwaitMetric("connguard_closes_total", "evicted", 1);
  EXPECT_EQ(guard().Metric("connguard_buffer_evictions_total"), 1);
  EXPECT_LE(guard().Metric("connguard_buffered_bytes"), 1536 * 1024);
  PeerEnd end = PeerEnd::kFin;
  ann.ReadToEnd(&end);
  EXPECT_EQ(end, PeerEnd::kReset);
  ExpectRest(bob_origin, bob, frames, sent);  // the other one loses nothing
  guard().AwaitMetric("connguard_buffered_bytes", "", 0);
}

TEST_F(BufferTotalTest, PlainAnswersCountToo) {
  auto [ann, ann_origin] = OpenNarrow("/ws/ann");
  TestClient get = guard().Connect(4096);
  get.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  OriginLeg origin = origin_.Accept();
  origin.ReadThrough("\r\n\r\n");
  origin.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(flood_.size()) + "\r\n\r\n");
  EXPECT_LT(origin.SendUntilStuck(flood_), flood_.size());
  const std::string frame = ann_origin.MakeFrame({.opcode = 2}, std::string(15 << 20, 'x'));
  const std::size_t sent = ann_origin.SendUntilStuck(frame);
  guard().AwaitMetric("connguard_buffer_evictions_total", "", 1);
  PeerEnd end = PeerEnd::kFin;
  get.ReadToEnd(&end);
  EXPECT_EQ(end, PeerEnd::kReset);
  ExpectRest(ann_origin, ann, frame, sent);
}

}  // namespace
}  // namespace connguard::testing
