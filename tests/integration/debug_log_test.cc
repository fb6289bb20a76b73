// The log at level debug: a tunnel's whole life, line by line; and not a line of it at level info.
#include <string>
#include <string_view>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

// The `from` and `to` of every change of state that the log tells of.
std::string Path(std::string_view log) {
  std::string path;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(log.size(), line.size() + 1));
    if (line.find("\"event\":\"tunnel_state\"") == std::string_view::npos) continue;
    const auto word = [line](std::string_view mark) {
      const std::size_t at = line.find(mark) + mark.size();
      return line.substr(at, line.find('"', at) - at);
    };
    path.append(word("\"from\":\"")).append(">").append(word("\"to\":\"")).append(" ");
  }
  return path;
}

class DebugLogTest : public GuardTest {
 protected:
  // A tunnel whose client drops in mid-turn.
  void LiveAndDrop() {
    auto [client, origin] = OpenInTurn();
    client.Reset();
    guard().AwaitTunnels("shielded", 1);
    origin.SendText("answer");
    origin.ReadClose();
    origin.SendClose(1000);
    origin.Close();
    guard().AwaitLog("tunnel_closed");
  }
};

TEST_F(DebugLogTest, EveryChangeOfStateHasALine) {
  StartGuard({.session = "key: \"{path.user}\", settle: 20ms",
              .turn = "{end: each-answer, linger: 20ms}",
              .logging = "{level: debug}"});
  LiveAndDrop();
  EXPECT_EQ(
      Path(guard().log()),
      "new>waiting waiting>dialing dialing>open open>shielded shielded>lingering lingering>closing "
      "closing>settling settling>over ");
}

TEST_F(DebugLogTest, AnOpeningSaysWhoseAndWhereTo) {
  StartGuard({.logging = "{level: debug}"});
  LiveAndDrop();
  const std::string line = guard().AwaitLine("\"event\":\"tunnel_opened\"");
  for (const std::string_view part :
       {"\"level\":\"debug\"", "\"client\":\"127.0.0.1\"", "\"route\":\"chat\"",
        "\"upstream\":\"agent\"", "\"key\":\"", "\"epoch\":1",
        "\"fence_wait_ms\":", "\"dial_ms\":", "\"trace\":\"\""}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST_F(DebugLogTest, LevelInfoKnowsNothingOfIt) {
  StartGuard();
  LiveAndDrop();
  EXPECT_EQ(guard().log().find("\"level\":\"debug\""), std::string::npos);
}

TEST_F(DebugLogTest, LogfmtSaysTheSame) {
  StartGuard({.logging = "{level: debug}"});
  LiveAndDrop();
  guard().Rewrite({.upstream = origin_.url(), .logging = "{level: debug, format: logfmt}"});
  guard().Signal(SIGHUP);
  guard().AwaitLine("event=reloaded");
  Ends ends = Open("/ws/bob");
  EXPECT_NE(guard().AwaitLine(" level=debug event=tunnel_state ", " from=dialing to=open "), "");
}

}  // namespace
}  // namespace connguard::testing
