// An operator's DELETE that was sent twice ended the shield that the first had put up, and so
// closed the backend in mid-turn; and a backend that did not answer that Close was never given up.
#include <string>
#include <string_view>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""s;

class ASecondDelete : public GuardTest {
 protected:
  Answer Delete(std::string_view session, std::string_view query = "") {
    return guard().Ask("DELETE", "/v1/sessions/" + std::string(session) + std::string(query));
  }
  void ExpectState(const Answer& answer, std::string_view state) {
    EXPECT_EQ(answer.status, 202);
    EXPECT_NE(answer.body.find("\"state\":\"" + std::string(state) + "\""), std::string::npos)
        << answer.body;
  }
};

TEST_F(ASecondDelete, KeepsTheShield) {
  StartGuard();
  Ends ends = OpenInTurn();
  const std::string session = guard().OnlySession();
  ExpectState(Delete(session), "shielded");
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  ends.client.SendClose(1000);
  ExpectState(Delete(session), "shielded");
  ExpectState(Delete(session), "shielded");
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
  guard().AwaitTunnels("closing", 0);
  EXPECT_EQ(Delete(session).status, 404);
}

TEST_F(ASecondDelete, EndsTheShieldWhenItSaysSo) {
  StartGuard();
  Ends ends = OpenInTurn();
  const std::string session = guard().OnlySession();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  EXPECT_EQ(Delete(session, "?shield=keep").status, 400);
  EXPECT_TRUE(ends.origin.Silent());
  ExpectState(Delete(session, "?shield=end"), "closing");
  ExpectState(Delete(session, "?shield=end"), "closing");  // and no reset
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(ASecondDelete, MayEndAClientAndItsShieldAtOnce) {
  StartGuard();
  Ends ends = OpenInTurn();
  ExpectState(Delete(guard().OnlySession(), "?shield=end"), "closing");
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  ends.client.SendClose(1000);
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(ASecondDelete, DoesNotCutTheLinger) {
  StartGuard({.turn = "{end: each-answer, linger: 300ms}"});
  Ends ends = OpenInTurn();
  const std::string session = guard().OnlySession();
  const Stopwatch since;
  ends.origin.SendText("answer");
  EXPECT_EQ(ends.client.ReadText(), "answer");
  ExpectState(Delete(session), "lingering");
  ExpectState(Delete(session, "?shield=end"), "lingering");
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_GE(since.elapsed(), std::chrono::milliseconds(300));
  EXPECT_EQ(ends.client.ReadClose(), 1000);
}

TEST_F(ASecondDelete, OfABusyBackendThatDoesNotAnswerTheCloseEndsInReset) {
  StartGuard({.session = "key: \"{path.user}\", settle: 0, close_timeout: 200ms"});
  Ends ends = OpenInTurn();
  const std::string session = guard().OnlySession();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  const Stopwatch since;
  ExpectState(Delete(session, "?shield=end"), "closing");
  EXPECT_EQ(ends.origin.ReadClose(), 1001);
  PeerEnd end = PeerEnd::kFin;
  EXPECT_EQ(ends.origin.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kReset);
  EXPECT_LT(since.elapsed(), 10s);
}

TEST_F(ASecondDelete, OfAHandshakeThatWaitsSaysThatItIsOver) {
  StartGuard();
  Ends ends = OpenInTurn();
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  const std::string holder = guard().OnlySession();
  TestClient waiter = Connect("/ws/ann");
  EXPECT_TRUE(waiter.Silent());
  const std::string list = guard().Ask("GET", "/v1/sessions?state=waiting").body;
  const std::size_t at = list.find("\"id\":\"") + 6;
  ExpectState(Delete(list.substr(at, list.find('"', at) - at)), "over");
  waiter.ExpectStatus(503);
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
}

}  // namespace
}  // namespace connguard::testing
