// How the guard ends a connection, as its peers see it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "support/guard_test.h"

namespace connguard::testing {

// Expects the guard's FIN, and nothing before it.
inline void ExpectFin(Peer& peer) {
  PeerEnd end = PeerEnd::kReset;
  EXPECT_EQ(peer.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kFin);
}

// Takes the guard's Close, answers it, expects FIN and closes: the upstream's whole part.
inline void ExpectClosedWith(OriginLeg& origin, int code, std::string_view reason = "") {
  std::string said;
  EXPECT_EQ(origin.ReadClose(&said), code);
  EXPECT_EQ(said, reason);
  origin.SendClose(code);
  ExpectFin(origin);
  origin.Close();
}

// The turn in flight is answered, and both legs are ended as at a drain.
inline void AnswerAndEnd(Ends& ends) {
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  EXPECT_EQ(ends.client.ReadClose(), 1012);
  ends.client.Close();
  ExpectClosedWith(ends.origin, 1001);
}

class Stopwatch {
 public:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin_);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace connguard::testing
