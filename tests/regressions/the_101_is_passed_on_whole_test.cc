// The upstream's 101 was written out of a reader that was gone by then: with many fields, that is
// with allocated ones, garbage stood in the status line and in the values.
#include <gtest/gtest.h>

#include <string>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using The101IsPassedOnWhole = GuardTest;

TEST_F(The101IsPassedOnWhole, ManyLongFieldsArriveByteByByte) {
  StartGuard();
  std::string fields;
  for (int i = 0; i < 60; ++i) {
    const std::string number = std::to_string(i);
    fields += "X-Field-" + number + ": " + std::string(200, static_cast<char>('a' + i % 26)) +
              number + "\r\n";
  }
  fields += "Set-Cookie: session=first; Path=/\r\nSet-Cookie: session=second; Path=/\r\n";
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  const std::string answer =
      "HTTP/1.1 101 Something Of Its Own That Is Longer Than A Small String\r\n"
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
      std::string(kSampleAccept) + "\r\n" + fields + "\r\n";
  // The first frame follows in the same segment.
  origin.Send(answer + origin.MakeFrame({.opcode = 1}, "hello"));
  EXPECT_EQ(client.ExpectStatus(101).head, answer);
  EXPECT_EQ(client.ReadText(), "hello");
}

}  // namespace
}  // namespace connguard::testing
