// What a turn profile does to messages: window, acceptance, and telling the end of a turn.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "integration/closing.h"
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

class WindowTest : public GuardTest {
 protected:
  void StartWith(const std::string& turn) {
    StartGuard({.upstream = origin_.url(), .turn = "{linger: 0, " + turn + "}"});
  }

  void AwaitMessagesUp(double value) {
    guard().AwaitMetric("connguard_messages_total", "direction=\"up\"", value);
  }

  // A whole message of two fragments, as it goes over the wire.
  static std::string Fragmented(const Peer& peer, std::string_view text, std::uint8_t opcode = 1) {
    const std::size_t half = text.size() / 2;
    return peer.MakeFrame({.opcode = opcode, .fin = false}, text.substr(0, half)) +
           peer.MakeFrame({.opcode = 0}, text.substr(half));
  }
};

TEST_F(WindowTest, TheSecondMessageWaitsForTheAnswerToTheFirst) {
  StartWith("end: each-answer, window: 1");
  Ends ends = OpenInTurn();
  const std::string second = Fragmented(ends.client, "second");
  ends.client.Send(second);
  ends.client.SendText("third");
  AwaitMessagesUp(3);
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer 1");
  EXPECT_EQ(ends.client.ReadText(), "answer 1");
  EXPECT_EQ(ends.origin.Read(second.size()), second);
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer 2");
  EXPECT_EQ(ends.origin.ReadText(), "third");
}

TEST_F(WindowTest, AMessageThatWaitsIsDroppedWithItsClient) {
  StartWith("end: each-answer, window: 1");
  Ends ends = OpenInTurn();
  ends.client.SendText("second");
  AwaitMessagesUp(2);
  ends.client.Reset();
  guard().AwaitTunnels("shielded", 1);
  ends.origin.SendText("answer 1");
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(WindowTest, ACloseBehindAMessageThatWaitsIsAnsweredAtOnce) {
  StartWith("end: each-answer, window: 1");
  Ends ends = OpenInTurn();
  ends.client.SendText("second");
  ends.client.SendClose(1000);
  EXPECT_EQ(ends.client.ReadClose(), 1000);
  ends.origin.SendText("answer 1");
  ExpectClosedWith(ends.origin, 1000);
}

TEST_F(WindowTest, PingsAreAnsweredWhileAMessageWaits) {
  StartWith("end: each-answer, window: 1");
  Ends ends = OpenInTurn();
  ends.client.Send(ends.client.MakeFrame({.opcode = 1, .fin = false}, "second, first half"));
  ends.client.SendPing("from below");
  EXPECT_EQ(ends.client.ReadFrame().payload, "from below");
  ends.origin.SendPing("from above");
  const WireFrame pong = ends.origin.ReadFrame();
  EXPECT_EQ(pong.first, 0x8A);
  EXPECT_EQ(pong.payload, "from above");
}

TEST_F(WindowTest, SilenceFreesTheWindowOfTheQuietProfile) {
  StartWith("end: quiet, quiet: 200ms, window: 1");
  Ends ends = OpenInTurn();
  ends.client.SendText("second");
  AwaitMessagesUp(2);
  EXPECT_TRUE(ends.origin.Silent(400ms));
  ends.origin.SendText("token");
  EXPECT_EQ(ends.origin.ReadText(), "second");
}

// --- accept: json-object

TEST_F(WindowTest, UnacceptableMessagesEndTheirClientAndNotTheUpstream) {
  StartWith("end: each-answer, accept: json-object");
  const std::vector<std::pair<std::string, int>> cases = {
      {R"([1, 2])", 1007}, {"no json", 1007},        {"17", 1007},
      {"", 1007},          {R"({"a": 1} {})", 1007}, {"{\"a\": \"\xFF\"}", 1007}};
  for (const auto& [text, code] : cases) {
    for (const bool whole : {true, false}) {
      SCOPED_TRACE(text);
      Ends ends = Open();
      if (whole) {
        ends.client.SendText(text);
      } else {
        ends.client.Send(Fragmented(ends.client, text));
      }
      EXPECT_EQ(ends.client.ReadClose(), code);
      // Not a byte of it comes before the Close.
      ExpectClosedWith(ends.origin, 1001);
    }
  }
}

TEST_F(WindowTest, ABinaryMessageEndsItsClientWith1003) {
  StartWith("end: each-answer, accept: json-object");
  Ends ends = Open();
  ends.client.SendBinary(R"({"type": "object, but binary"})");
  EXPECT_EQ(ends.client.ReadClose(), 1003);
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(WindowTest, AnUnacceptableMessageInMidTurnIsADrop) {
  StartWith("end: each-answer, accept: json-object");
  Ends ends = Open();
  ends.client.SendText("{}");
  EXPECT_EQ(ends.origin.ReadText(), "{}");
  ends.client.SendText("[]");
  EXPECT_EQ(ends.client.ReadClose(), 1007);
  guard().AwaitTunnels("shielded", 1);
  EXPECT_TRUE(ends.origin.Silent());
  ends.origin.SendText("answer");
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(WindowTest, AnObjectInFragmentsPassesByteByByte) {
  StartWith("end: each-answer, accept: json-object");
  Ends ends = Open();
  const std::string first =
      Fragmented(ends.client, R"({"text": "héllo", "list": [1, 2, {"a": null}]})");
  ends.client.SendByteByByte(first);
  EXPECT_EQ(ends.origin.Read(first.size()), first);
  const std::string second = ends.client.MakeFrame({.opcode = 1, .key = {9, 8, 7, 6}}, "  {\n}\n");
  ends.client.Send(second);
  EXPECT_EQ(ends.origin.Read(second.size()), second);
}

// --- end: {json: …}

class MatcherTest : public WindowTest {
 protected:
  // None of `unmatched` ends the turn, `final` does. Both are frames as MakeFrame makes them.
  void ExpectEndsTurn(const std::vector<std::string>& unmatched, const std::string& final) {
    Ends ends = OpenInTurn();
    ends.client.Reset();
    guard().AwaitTunnels("shielded", 1);
    for (const std::string& frames : unmatched) {
      ends.origin.Send(frames);
      EXPECT_TRUE(ends.origin.Silent()) << frames;
    }
    ends.origin.SendByteByByte(final);
    ExpectClosedWith(ends.origin, 1001);
    guard().AwaitTunnels("", 0);
  }

  static std::string Text(std::string_view text) {
    const Octets frame = Frame({.opcode = 1}, text);
    return {frame.begin(), frame.end()};
  }
  static std::string Part(std::uint8_t opcode, bool fin, std::string_view text) {
    const Octets frame = Frame({.opcode = opcode, .fin = fin}, text);
    return {frame.begin(), frame.end()};
  }
};

TEST_F(MatcherTest, OnlyTheWordsOfTheListEndATurn) {
  StartWith("end: {json: /type, in: [chat, error]}");
  ExpectEndsTurn({Text(R"({"type": "chat_token", "content": "chat"})"), Text("no json at all"),
                  Text("\"chat\""), Text(R"({"type": 7})"), Text(R"({"inner": {"type": "chat"}})"),
                  Part(2, true, R"({"type": "chat"})")},
                 Text(R"({"content": "\"type\": 1", "type": "chat"})"));
  ExpectEndsTurn({}, Text(R"({"type":"error"})"));
}

TEST_F(MatcherTest, FragmentsAreReadTogether) {
  StartWith("end: {json: /type, in: [chat, error]}");
  ExpectEndsTurn(
      {Part(1, false, R"({"ty)") + Part(0, false, R"(pe": "ch)") + Part(0, true, "at_token\"}")},
      Part(1, false, R"({"ty)") + Part(0, false, R"(pe": "ch)") + Part(0, true, "at\"}"));
}

TEST_F(MatcherTest, APointerMayGoDeep) {
  StartWith("end: {json: /data/0/kind, in: [end]}");
  ExpectEndsTurn({Text(R"({"data": {"kind": "end"}})"), Text(R"({"data": [{"kind": "token"}]})")},
                 Text(R"({"data": [{"kind": "end"}, {"kind": "x"}]})"));
}

}  // namespace
}  // namespace connguard::testing
