// Compression between a client and an origin, with profiles that read messages and without.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "integration/closing.h"
#include "support/guard_test.h"
#include "unit/ws/deflate.h"

namespace connguard::testing {
namespace {

constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions: ";
constexpr std::string_view kMatching = "{end: {json: /type, in: [chat]}, linger: 0}";
constexpr std::string_view kAccepting = "{end: each-answer, accept: json-object, linger: 0}";
constexpr std::string_view kNotReading = "{end: each-answer, linger: 0}";
constexpr std::string_view kToken = R"({"type": "chat_token", "content": "so"})";
constexpr std::string_view kFinal = R"({"type": "chat", "content": "so be it"})";

// A JSON object that says what it likes at such length that its copy refers back 2,000 bytes.
std::string Long(std::string_view type) {
  std::string text = R"({"type": ")" + std::string(type) + R"(", "content": ")";
  std::uint32_t number = 1;
  for (int i = 0; i < 2000; ++i) {
    number = number * 1103515245 + 12345;
    text.push_back(static_cast<char>('a' + (number >> 16) % 26));
  }
  return text + "\"}";
}

std::string ToText(const Octets& octets) { return {octets.begin(), octets.end()}; }

std::string Line(std::string_view value) {
  return std::string(kExtensions) + std::string(value) + "\r\n";
}

// Compresses to a thousandth.
std::string Blanks() {
  std::string blanks;
  blanks.resize(100'000'000, ' ');
  return blanks;
}

class CompressionTest : public GuardTest {
 protected:
  void StartWith(std::string_view turn, std::string_view compression = "passthrough",
                 std::string_view limits = "{}") {
    StartGuard({.turn = std::string(turn),
                .compression = std::string(compression),
                .limits = std::string(limits)});
  }

  Ends OpenCompressed(std::string_view answer = "permessage-deflate") {
    return Open("/ws/ann", Line("permessage-deflate; client_max_window_bits"), Line(answer));
  }

  static std::string Compressed(const Peer& peer, const Octets& payload) {
    return peer.MakeFrame({.opcode = 1, .rsv = 0x40}, ToText(payload));
  }

  // The request as the upstream gets it when the client offers `offer`. Nothing comes of it.
  std::string ForwardedOffer(std::string_view offer) {
    TestClient client = guard().Connect();
    client.SendHandshake("/ws/ann", Line(offer));
    OriginLeg origin = origin_.Accept();
    const std::string request = origin.ReadRequest();
    origin.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    client.ExpectStatus(403);
    const std::size_t begin = request.find(kExtensions);
    if (begin == std::string::npos) return "";
    return request.substr(begin, request.find("\r\n", begin) - begin + 2);
  }

  // The status of the client's answer when the upstream's 101 turns `answer` on.
  int StatusFor(std::string_view offer, std::string_view answer) {
    TestClient client = guard().Connect();
    client.SendHandshake("/ws/ann", offer.empty() ? "" : Line(offer));
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(OriginLeg::Upgraded(Line(answer)) + origin.MakeFrame({}, "right behind"));
    return client.ReadAnswer().status;
  }
};

// --- with a profile that reads

TEST_F(CompressionTest, TheEndOfATurnIsSeenInACompressedMessage) {
  StartWith(kMatching);
  for (const std::string_view answer :
       {"permessage-deflate", "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits=9"}) {
    SCOPED_TRACE(answer);
    Deflater up;
    Deflater down(15, answer.find("server_no") == std::string_view::npos);
    Ends ends = OpenCompressed(answer);
    const std::string ask = Compressed(ends.client, up.Message(R"({"text": "ask"})"));
    ends.client.Send(ask);
    EXPECT_EQ(ends.origin.Read(ask.size()), ask) << "byte-exact";
    for (int i = 0; i < 3; ++i) {
      const std::string token = Compressed(ends.origin, down.Message(Long("chat_token")));
      ends.origin.Send(token);
      EXPECT_EQ(ends.client.Read(token.size()), token) << "byte-exact";
    }
    ends.client.Reset();
    guard().AwaitTunnels("shielded", 1);
    ends.origin.Send(Compressed(ends.origin, down.Message(kToken)));
    EXPECT_TRUE(ends.origin.Silent()) << "the turn goes on";
    ends.origin.SendByteByByte(Compressed(ends.origin, down.Message(Long("chat"))));
    ExpectClosedWith(ends.origin, 1001);
    guard().AwaitTunnels("", 0);
  }
}

TEST_F(CompressionTest, ATurnThatWasAnsweredCompressedIsOver) {
  StartWith(kMatching);
  Ends ends = OpenCompressed();
  ends.client.SendText("ask");
  EXPECT_EQ(ends.origin.ReadText(), "ask");
  const std::string answer = Compressed(ends.origin, Deflater().Message(kFinal));
  ends.origin.Send(answer);
  EXPECT_EQ(ends.client.Read(answer.size()), answer);
  ends.client.SendClose(4001);
  EXPECT_EQ(ends.client.ReadClose(), 4001);
  ExpectClosedWith(ends.origin, 4001);
}

TEST_F(CompressionTest, CompressedObjectsAreAcceptedByteExact) {
  StartWith(kAccepting);
  // The other direction's parameters are not this one's.
  Ends ends =
      OpenCompressed("permessage-deflate; server_no_context_takeover; server_max_window_bits=9");
  Deflater up;
  for (int i = 0; i < 3; ++i) {
    const Octets payload = up.Message(Long("question"));
    const std::string text = ToText(payload);
    const std::string message =
        ends.client.MakeFrame({.opcode = 1, .fin = false, .rsv = 0x40}, text.substr(0, 3)) +
        ends.client.MakeFrame({.opcode = 0, .key = {9, 8, 7, 6}}, text.substr(3));
    ends.client.SendByteByByte(message);
    EXPECT_EQ(ends.origin.Read(message.size()), message);
    ends.origin.SendText("answer");
    EXPECT_EQ(ends.client.ReadText(), "answer");
  }
  ends.client.Send(Compressed(ends.client, up.Message("[1, 2, 3]")));
  EXPECT_EQ(ends.client.ReadClose(), 1007);
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(CompressionTest, AClientsBombEndsItWith1009AndTheUpstreamSeesNoneOfIt) {
  StartWith(kAccepting, "passthrough", "{message_size: 1MiB}");
  Ends ends = OpenCompressed();
  const long before = guard().ResidentMemory();
  const Octets bomb = Deflater().Message(Blanks() + "{}");
  ASSERT_LT(bomb.size(), 200'000U);
  ends.client.Send(Compressed(ends.client, bomb));
  std::string reason;
  EXPECT_EQ(ends.client.ReadClose(&reason), 1009);
  EXPECT_EQ(reason, "message inflates to more than the limit");
  ExpectClosedWith(ends.origin, 1001);
  EXPECT_LT(guard().ResidentMemory() - before, 20'000) << "kilobytes";
  guard().AwaitMetric("connguard_closes_total", "client_too_big", 1);
}

TEST_F(CompressionTest, AClientsCorruptMessageEndsItWith1007) {
  StartWith(kAccepting);
  Ends ends = OpenCompressed();
  ends.client.Send(Compressed(ends.client, ToOctets(R"({"not": "compressed"})")));
  EXPECT_EQ(ends.client.ReadClose(), 1007);
  ExpectClosedWith(ends.origin, 1001);
}

TEST_F(CompressionTest, AnUpstreamsBombIs1009AndTheClientGets1011BehindTheFrame) {
  StartWith(kMatching, "passthrough", "{message_size: 1MiB}");
  Ends ends = OpenCompressed();
  const std::string bomb = Compressed(ends.origin, Deflater().Message(Blanks()));
  ends.origin.Send(bomb);
  EXPECT_TRUE(ends.client.Read(bomb.size()) == bomb);
  EXPECT_EQ(ends.client.ReadClose(), 1011);
  ends.origin.SendText("on its way when the Close came");
  ExpectClosedWith(ends.origin, 1009);
  guard().AwaitMetric("connguard_closes_total", "upstream_too_big", 1);
}

TEST_F(CompressionTest, AnUpstreamsCorruptMessageIs1002) {
  StartWith(kMatching);
  Ends ends = OpenCompressed();
  const std::string bad = Compressed(ends.origin, ToOctets(kFinal));
  ends.origin.Send(bad);
  EXPECT_EQ(ends.client.Read(bad.size()), bad);
  EXPECT_EQ(ends.client.ReadClose(), 1011);
  ExpectClosedWith(ends.origin, 1002);
}

// --- the handshake

TEST_F(CompressionTest, OnlyWhatCanBeReadIsOfferedWhereSomethingIsRead) {
  StartWith(kMatching);
  EXPECT_EQ(ForwardedOffer("foo, permessage-deflate ;client_max_window_bits , bar;x=\"a,b\""),
            Line("permessage-deflate ;client_max_window_bits"));
  EXPECT_EQ(ForwardedOffer("permessage-deflate; a=b,permessage-deflate"),
            Line("permessage-deflate; a=b,permessage-deflate"));
  EXPECT_EQ(ForwardedOffer("x-webkit-deflate-frame"), "");
}

TEST_F(CompressionTest, EverythingIsOfferedWhereNothingIsRead) {
  StartWith(kNotReading);
  EXPECT_EQ(ForwardedOffer("foo, permessage-deflate ;x , bar"),
            Line("foo, permessage-deflate ;x , bar"));
}

TEST_F(CompressionTest, NothingIsOfferedWhenCompressionIsOff) {
  for (const std::string_view turn : {kNotReading, kMatching}) {
    StartWith(turn, "off");
    EXPECT_EQ(ForwardedOffer("permessage-deflate"), "");
    EXPECT_EQ(StatusFor("permessage-deflate", "permessage-deflate"), 502);
  }
}

TEST_F(CompressionTest, A101ThatCannotBeReadIs502) {
  StartWith(kMatching);
  for (const std::string_view answer : {"foo", "permessage-deflate, foo", "permessage-deflate; x",
                                        "permessage-deflate; server_max_window_bits=16",
                                        "permessage-deflate, permessage-deflate"}) {
    EXPECT_EQ(StatusFor("permessage-deflate, foo", answer), 502) << answer;
  }
  EXPECT_EQ(StatusFor("", "permessage-deflate"), 502) << "was not offered";
  EXPECT_EQ(StatusFor("foo", "permessage-deflate"), 502) << "was not offered";
}

TEST_F(CompressionTest, WhereNothingIsReadAnythingMayBeAgreedOn) {
  StartWith(kNotReading);
  Ends ends = Open("/ws/ann", Line("foo, permessage-deflate"), Line("foo, permessage-deflate; x"));
  const std::string down = Compressed(ends.origin, ToOctets("not deflate data"));
  ends.origin.Send(down);
  EXPECT_EQ(ends.client.Read(down.size()), down);
}

TEST_F(CompressionTest, ACompressedMessageIsIllegalWhenTheUpstreamDidNotAgree) {
  StartWith(kMatching);
  Ends ends = Open("/ws/ann", Line("permessage-deflate"));
  ends.client.Send(Compressed(ends.client, Deflater().Message("{}")));
  EXPECT_EQ(ends.client.ReadClose(), 1002);
  ExpectClosedWith(ends.origin, 1001);
}

}  // namespace
}  // namespace connguard::testing
