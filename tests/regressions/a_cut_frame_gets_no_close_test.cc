// An upstream that ended in the middle of a frame made the guard send a Close, which the client
// took for the rest of the frame's payload.
#include <gtest/gtest.h>

#include <string>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using ACutFrameGetsNoClose = GuardTest;

TEST_F(ACutFrameGetsNoClose, TheClientSeesTheBytesThatCameAndThenTheEnd) {
  StartGuard();
  for (const bool reset : {false, true}) {
    Ends ends = Open(reset ? "/ws/reset" : "/ws/fin");
    const std::string frame = ends.origin.MakeFrame({.opcode = 1}, std::string(1000, 'x'));
    ends.origin.Send(frame.substr(0, 600));
    EXPECT_EQ(ends.client.Read(600), frame.substr(0, 600));
    if (reset) {
      ends.origin.Reset();
    } else {
      ends.origin.Close();
    }
    EXPECT_EQ(ends.client.ReadToEnd(), "");
  }
}

TEST_F(ACutFrameGetsNoClose, AtAFrameBoundaryThereIsOne) {
  StartGuard();
  Ends ends = Open();
  ends.origin.SendText("whole");
  EXPECT_EQ(ends.client.ReadText(), "whole");
  ends.origin.Close();
  EXPECT_EQ(ends.client.ReadClose(), 1011);
}

}  // namespace
}  // namespace connguard::testing
