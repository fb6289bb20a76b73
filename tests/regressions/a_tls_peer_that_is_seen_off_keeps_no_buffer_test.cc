// OpenSSL takes a buffer of 16 KiB for a record and gives it back behind data, but not behind an
// alert: whoever had been sent close_notify and stayed held twice what an idle tunnel does.
#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>

#include "../unit/tls/tls_pair.h"

namespace connguard::testing {
namespace {

std::atomic<std::size_t> live{0};  // bytes that OpenSSL has and has not given back

void* Take(std::size_t size, const char* /*file*/, int /*line*/) {
  void* const block = std::malloc(size);
  if (block != nullptr) live += malloc_usable_size(block);
  return block;
}

void Return(void* block, const char* /*file*/, int /*line*/) {
  if (block != nullptr) live -= malloc_usable_size(block);
  std::free(block);
}

void* Change(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  const std::size_t before = block != nullptr ? malloc_usable_size(block) : 0;
  void* const other = std::realloc(block, size);
  if (other != nullptr) live += malloc_usable_size(other) - before;
  return other;
}

// Before OpenSSL's first block, or it is refused.
const bool kCounted = CRYPTO_set_mem_functions(Take, Change, Return) == 1;

TEST(ATlsPeerThatIsSeenOff, KeepsNoBuffer) {
  ASSERT_TRUE(kCounted);
  constexpr std::size_t kLittle = 1024;
  const TlsWorld world;
  const auto server = world.Server();
  const auto client = world.Client();
  TlsPair pair(*client, *server);
  pair.Handshake();
  pair.server.Send("last words");
  pair.Exchange();
  const std::size_t before = live;
  pair.server.stream->Close(pair.server.out);
  EXPECT_GT(pair.server.out.size(), 0U);
  EXPECT_LT(live, before + kLittle);

  pair.client.Send("heard");
  pair.Exchange();
  EXPECT_EQ(pair.server.Read(), "heard");
  EXPECT_LT(live, before + kLittle);
}

}  // namespace
}  // namespace connguard::testing
