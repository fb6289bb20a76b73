// HeadScan looks at eight bytes at once where it has them: it has to see what it sees one by one.
#include "http/head_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace connguard {
namespace {

struct Verdict {
  HeadScan::Status status = HeadScan::Status::kNeedMore;
  Bytes taken = 0;
  std::string text;  // of a complete head
  std::string why;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

Verdict Scan(std::string_view in, std::size_t step) {
  constexpr Bytes kLimit = 200;
  HeadScan scan(kLimit);
  Verdict verdict;
  while (verdict.status == HeadScan::Status::kNeedMore && verdict.taken < in.size()) {
    Bytes taken = 0;
    verdict.status = scan.Feed(AsBytes(in.substr(verdict.taken, step)), taken);
    verdict.taken += taken;
  }
  if (verdict.status == HeadScan::Status::kComplete) verdict.text = scan.text();
  verdict.why = scan.why();
  return verdict;
}

TEST(HeadScanTest, AnyByteAnywhereIsSeenInWholeReadsAsInSmallOnes) {
  const std::string head =
      "GET /chat?x=1 HTTP/1.1\r\nHost: agent\r\nAccept: text/plain, */*\r\n\r\n";
  for (std::size_t at = 0; at < head.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = head;
      changed[at] = static_cast<char>(byte);
      const Verdict whole = Scan(changed, changed.size());
      EXPECT_EQ(whole, Scan(changed, 1)) << at << ' ' << byte;
      EXPECT_EQ(whole, Scan(changed, 11)) << at << ' ' << byte;
      const bool control =
          (byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n') || byte == 0x7F;
      if (control) {
        EXPECT_EQ(whole.status, HeadScan::Status::kIllegal) << at << ' ' << byte;
      }
    }
  }
}

TEST(HeadScanTest, BytesAbove0x7FAndTabsPassInALine) {
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string head = "X:" + std::string(before, 'a') + "\t\x80\xFF\x9F\xA0\xFE\r\n\r\n";
    EXPECT_EQ(Scan(head, head.size()).text, head);
  }
}

}  // namespace
}  // namespace connguard
