// `queue = {}` assigns an empty list and keeps the capacity: what had waited for a slow peer stayed
// allocated for as long as its connection lived.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "../unit/net/conn_fixture.h"
#include "connguard/effects.h"

namespace {

std::atomic<std::size_t> live{0};  // bytes that `new` has given and `delete` has not taken back

void* Take(std::size_t size) noexcept {
  void* const block = std::malloc(size);
  if (block != nullptr) live += malloc_usable_size(block);
  return block;
}

void* TakeOrThrow(std::size_t size) {
  void* const block = Take(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void Return(void* block) noexcept {
  if (block != nullptr) live -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return TakeOrThrow(size); }
void* operator new[](std::size_t size) { return TakeOrThrow(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return Take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return Take(size); }
void operator delete(void* block) noexcept { Return(block); }
void operator delete[](void* block) noexcept { Return(block); }
void operator delete(void* block, std::size_t) noexcept { Return(block); }
void operator delete[](void* block, std::size_t) noexcept { Return(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { Return(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { Return(block); }

namespace connguard::testing {
namespace {

constexpr std::size_t kQueued = 1024 * 1024;
constexpr std::size_t kLittle = 64 * 1024;

class AnEmptiedQueue : public ConnFixture {};

TEST_F(AnEmptiedQueue, OfAConnectionKeepsNoMemory) {
  SocketPair pair = TcpPair();
  Owner owner;
  Peer peer(loop_, std::move(pair.theirs));
  peer.received.reserve(64 * kQueued);
  Adopt(owner, std::move(pair.ours));
  const Octets bytes = Noise(kLittle, 1);
  std::size_t sent = 0;
  const std::size_t before = live;
  When([] { return true; },
       [&] {
         peer.StopReading();
         for (; owner.conn->queued() < kQueued; sent += bytes.size()) owner.conn->Send(bytes);
         EXPECT_GT(live, before + kQueued);
         peer.StartReading();
       });
  RunUntil([&] { return sent > 0 && peer.received.size() >= sent; });
  EXPECT_EQ(owner.conn->queued(), 0U);
  EXPECT_LT(live, before + kLittle);
}

TEST(AnEmptiedEffectQueue, KeepsNoMemory) {
  GrowingEffectQueue<int> queue;
  const std::size_t before = live;
  for (int i = 0; i < 10'000; ++i) queue.Push(i);
  EXPECT_GT(live, before + 10'000);
  while (queue.Poll()) {
  }
  EXPECT_EQ(live, before);
}

}  // namespace
}  // namespace connguard::testing
