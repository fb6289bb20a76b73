// The flight recorder gave the guard's own Close frames the time of the last read, however long ago
// that was.
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;

constexpr auto kPause = 200ms;

class OurCloses : public GuardTest {
 protected:
  // How long before its tunnel's end an entry of the recorder was made: `-203 state open; -1 …`.
  Millis AgeOf(std::string_view entry) {
    const std::string line = guard().AwaitLine("\"event\":\"flight_recorder\"");
    const std::size_t at = line.find(" " + std::string(entry));
    EXPECT_NE(at, std::string::npos) << entry << " in " << line;
    if (at == std::string::npos) return Millis::max();
    return Millis(std::atoi(line.c_str() + line.rfind('-', at) + 1));
  }
};

TEST_F(OurCloses, ToAClientAreDatedWhenTheyAreSent) {
  StartGuard({.logging = "{level: debug}"});
  Ends ends = OpenInTurn();
  EXPECT_TRUE(ends.client.Silent(kPause));
  ends.origin.Reset();
  EXPECT_EQ(ends.client.ReadClose(), 1011);
  EXPECT_LT(AgeOf("to client close 1011"), kPause);
  EXPECT_GE(AgeOf("client text 3 fin"), kPause);
}

TEST_F(OurCloses, ToAnUpstreamAreDatedWhenTheyAreSent) {
  StartGuard({.turn = "{end: each-answer, max: 300ms, linger: 0}", .logging = "{level: debug}"});
  Ends ends = OpenInTurn();
  ends.client.Reset();
  EXPECT_EQ(ends.origin.ReadClose(), 1001);  // the turn is overdue
  ends.origin.SendClose(1001);
  ends.origin.Close();
  EXPECT_LT(AgeOf("to upstream close 1001"), kPause);
  EXPECT_GE(AgeOf("client gone"), kPause);
}

}  // namespace
}  // namespace connguard::testing
