// A shield that did not end by itself left no sample in connguard_shield_seconds, and 0 in its line
// of the log.
#include <signal.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;

constexpr auto kPause = 120ms;

class AShieldThatIsCut : public GuardTest {
 protected:
  void ExpectShieldInLog() {
    const std::string line = guard().AwaitLine("\"event\":\"tunnel_closed\"");
    constexpr std::string_view kMark = "\"shield_ms\":";
    const std::size_t at = line.find(kMark);
    ASSERT_NE(at, std::string::npos) << line;
    EXPECT_GE(std::atoi(line.c_str() + at + kMark.size()), kPause.count()) << line;
  }
  void ExpectShieldInFigures() {
    EXPECT_EQ(guard().Metric("connguard_shield_seconds_count"), 1);
    EXPECT_GE(guard().Metric("connguard_shield_seconds_sum"), 0.12);
  }
  // A tunnel whose client has dropped in mid-turn, kPause ago.
  OriginLeg Shielded() {
    Ends ends = OpenInTurn();
    ends.client.Reset();
    guard().AwaitTunnels("shielded", 1);
    EXPECT_TRUE(ends.origin.Silent(kPause));
    return std::move(ends.origin);
  }
};

TEST_F(AShieldThatIsCut, ByTheEndOfADrainIsRecorded) {
  StartGuard({.shutdown = "{drain: 100ms}"});
  OriginLeg origin = Shielded();
  guard().Signal(SIGTERM);
  EXPECT_EQ(origin.ReadClose(), 1001);
  EXPECT_EQ(guard().AwaitExit(), 0);
  ExpectShieldInLog();
}

TEST_F(AShieldThatIsCut, ByTheTurnsTimeIsRecorded) {
  StartGuard({.turn = "{end: each-answer, max: 300ms, linger: 0}"});
  OriginLeg origin = Shielded();
  ExpectClosedWith(origin, 1001);
  ExpectShieldInLog();
  ExpectShieldInFigures();
}

TEST_F(AShieldThatIsCut, ByTheOperatorIsRecorded) {
  StartGuard();
  OriginLeg origin = Shielded();
  EXPECT_EQ(guard().Ask("DELETE", "/v1/sessions/" + guard().OnlySession() + "?shield=end").status,
            202);
  ExpectClosedWith(origin, 1001);
  ExpectShieldInLog();
  ExpectShieldInFigures();
}

}  // namespace
}  // namespace connguard::testing
