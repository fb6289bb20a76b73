// `queue = {}` assigns an empty list and keeps the capacity: what had waited for a slow peer stayed
// allocated for as long as its connection lived.
#include "../unit/net/conn_fixture.h"
#include "connguard/effects.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Of <sanitizer/allocator_interface.h>, which g++ does not come with.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#else
#include <malloc.h>
#endif

namespace connguard::testing {
namespace {

// Bytes on the heap.
std::size_t Live() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

constexpr std::size_t kMany = 4 * 1024 * 1024;  // more than any socket's buffer
constexpr std::size_t kLittle = 64 * 1024;

class AnEmptiedQueue : public ConnFixture {};

TEST_F(AnEmptiedQueue, OfAConnectionKeepsNoMemory) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  peer.received.reserve(2 * kMany);
  Adopt(owner, std::move(pair.ours));
  const Octets bytes = Noise(kMany, 1);
  const std::size_t before = Live();
  When([] { return true; },
       [&] {
         peer.StopReading();
         owner.conn->Send(bytes);
         EXPECT_GT(Live(), before + kLittle);
         peer.StartReading();
       });
  RunUntil([&] { return peer.received.size() >= bytes.size(); });
  EXPECT_EQ(owner.conn->queued(), 0U);
  EXPECT_LT(Live(), before + kLittle);
}

TEST(AnEmptiedEffectQueue, KeepsNoMemory) {
  GrowingEffectQueue<int> queue;
  const std::size_t before = Live();
  for (int i = 0; i < 10'000; ++i) queue.Push(i);
  EXPECT_GT(Live(), before + 10'000);
  while (queue.Poll()) {
  }
  EXPECT_LT(Live(), before + 1000);
}

}  // namespace
}  // namespace connguard::testing
