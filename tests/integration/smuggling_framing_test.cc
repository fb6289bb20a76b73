// Requests that do not say clearly where they end.
#include "smuggling.h"
#include "smuggling_tricks.h"

namespace connguard::testing {
namespace {

class SmugglingFramingTest : public SmugglingTest {
 protected:
  // Each trick in a request with a body, which is sound for a reader of chunks; behind it, for one
  // of lengths, comes something else.
  void ExpectRefusedWith(const std::vector<FramingTrick>& tricks) {
    std::vector<BadRequest> table;
    for (const FramingTrick& trick : tricks) {
      table.push_back(
          {trick.name, 400, Ask("POST / HTTP/1.1", trick.fields, "5\r\nhello\r\n0\r\n\r\n")});
    }
    ExpectRefused(table);
  }
};

TEST_F(SmugglingFramingTest, LengthsAreRefused) { ExpectRefusedWith(LengthTricks()); }
TEST_F(SmugglingFramingTest, CodingsAreRefused) { ExpectRefusedWith(CodingTricks()); }
TEST_F(SmugglingFramingTest, LengthsWithCodingsAreRefused) { ExpectRefusedWith(MixedTricks()); }

TEST_F(SmugglingFramingTest, OldRequestsAreRefusedToo) {
  ExpectRefused({
      {"ChunkedIn10", 400, Ask("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"LengthAndChunkedIn10", 400,
       Ask("POST / HTTP/1.0", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"LengthTwiceIn10", 400,
       Ask("POST / HTTP/1.0", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
      {"KeepAliveChunkedIn10", 400,
       Ask("POST / HTTP/1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
           "0\r\n\r\n")},
  });
}

// The method makes no difference.
TEST_F(SmugglingFramingTest, GetWithTwoLengthsIsRefused) {
  std::vector<BadRequest> table;
  for (const char* method : {"GET", "OPTIONS", "DELETE", "BREW"}) {
    const std::string line = std::string(method) + " / HTTP/1.1";
    table.push_back({line, 400, Ask(line, "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")});
  }
  ExpectRefused(table);
}

}  // namespace
}  // namespace connguard::testing
