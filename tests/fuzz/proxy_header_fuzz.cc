// Fuzzes ProxyHeaderReader: the same header in one piece and byte by byte is the same.
#include <cstdint>
#include <span>

#include "config/proxy_protocol.h"
#include "require.h"

using connguard::ProxyHeaderReader;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> in(data, size);
  ProxyHeaderReader whole;
  const ProxyHeaderReader::Result once = whole.Feed(in);
  CONNGUARD_REQUIRE(once.taken <= size);
  ProxyHeaderReader bytewise;
  ProxyHeaderReader::Result last;
  std::size_t taken = 0;
  while (taken < size && last.status == ProxyHeaderReader::Status::kNeedMore) {
    last = bytewise.Feed(in.subspan(taken, 1));
    ++taken;
  }
  CONNGUARD_REQUIRE(last.status == once.status);
  CONNGUARD_REQUIRE(last.address == once.address);
  if (once.status == ProxyHeaderReader::Status::kDone) CONNGUARD_REQUIRE(taken == once.taken);
  if (once.status == ProxyHeaderReader::Status::kNeedMore) {
    CONNGUARD_REQUIRE(size < ProxyHeaderReader::kLongestBinary);
  }
  return 0;
}
