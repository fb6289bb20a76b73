// WebSocket handshakes obey the parser that plain requests obey, and have rules of their own.
#include "smuggling.h"
#include "smuggling_tricks.h"

namespace connguard::testing {
namespace {

using namespace std::string_literals;

using SmugglingUpgradeTest = SmugglingTest;

constexpr std::string_view kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
constexpr std::string_view kVersion = "Sec-WebSocket-Version: 13\r\n";
constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::string Join(std::initializer_list<std::string_view> pieces) {
  std::string all;
  for (const std::string_view piece : pieces) all.append(piece);
  return all;
}

std::string Handshake(std::initializer_list<std::string_view> fields) {
  return Ask("GET /ws/ann HTTP/1.1", Join(fields));
}

// A sound handshake but for its request line.
std::string HandshakeWithLine(std::string_view line) {
  return Ask(line, Join({kUpgrade, kVersion, kKey}));
}

TEST_F(SmugglingUpgradeTest, FramingTricksAreRefused) {
  std::vector<BadRequest> table;
  for (const auto* tricks : {&LengthTricks(), &CodingTricks(), &MixedTricks()}) {
    for (const FramingTrick& trick : *tricks) {
      table.push_back({trick.name, 400, TestClient::Handshake("/ws/ann", trick.fields)});
    }
  }
  ExpectRefused(table);
}

TEST_F(SmugglingUpgradeTest, BodiesAreRefused) {
  ExpectRefused({
      {"Length", 400, TestClient::Handshake("/ws/ann", "Content-Length: 5\r\n") + "hello"},
      {"LengthOfTheNextRequest", 400, TestClient::Handshake("/ws/ann", "Content-Length: 51\r\n")},
      {"LengthNotYetSent", 400, TestClient::Handshake("/ws/ann", "Content-Length: 99999\r\n")},
      {"Chunked", 400,
       TestClient::Handshake("/ws/ann", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"},
      {"ChunkedInOtherCase", 400,
       TestClient::Handshake("/ws/ann", "tRANSFER-eNCODING: CHUNKED\r\n") + "0\r\n\r\n"},
      {"ContinueAndLength", 400,
       TestClient::Handshake("/ws/ann", "Expect: 100-continue\r\nContent-Length: 5\r\n")},
      {"PlainRoute", 400, TestClient::Handshake("/other", "Content-Length: 5\r\n") + "hello"},
  });
}

TEST_F(SmugglingUpgradeTest, OtherVersionsAre426) {
  ExpectRefused({
      {"None", 426, Handshake({kUpgrade, kKey})},
      {"Empty", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version:\r\n"})},
      {"Eight", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version: 8\r\n"})},
      {"Zero", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version: 0\r\n"})},
      {"OneHundredThirteen", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version: 113\r\n"})},
      {"LeadingZero", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version: 013\r\n"})},
      {"Plus", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version: +13\r\n"})},
      {"List", 426, Handshake({kUpgrade, kKey, "Sec-WebSocket-Version: 13, 8\r\n"})},
      {"Twice", 426, Handshake({kUpgrade, kKey, kVersion, kVersion})},
      {"WithAFollowingOther", 426,
       Handshake({kUpgrade, kKey, kVersion, "Sec-WebSocket-Version: 8\r\n"})},
      {"PlainRoute", 426, Ask("GET /other HTTP/1.1", Join({kUpgrade, kKey}))},
  });
}

TEST_F(SmugglingUpgradeTest, BadKeysAreRefused) {
  ExpectRefused({
      {"None", 400, Handshake({kUpgrade, kVersion})},
      {"Empty", 400, Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key:\r\n"})},
      {"Short", 400, Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key: c2hvcnQ=\r\n"})},
      {"FifteenBytes", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n"})},
      {"SeventeenBytes", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n"})},
      {"WithoutPadding", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n"})},
      {"NotBase64", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ_==\r\n"})},
      {"Quoted", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key: \"dGhlIHNhbXBsZSBub25jZQ==\"\r\n"})},
      {"Twice", 400, Handshake({kUpgrade, kVersion, kKey, kKey})},
      {"TwoDifferent", 400,
       Handshake({kUpgrade, kVersion, kKey, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"})},
      {"SpaceBeforeColon", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key : dGhlIHNhbXBsZSBub25jZQ==\r\n"})},
      {"Folded", 400,
       Handshake({kUpgrade, kVersion, "Sec-WebSocket-Key:\r\n dGhlIHNhbXBsZSBub25jZQ==\r\n"})},
  });
}

TEST_F(SmugglingUpgradeTest, UpgradesToMoreThanWebSocketAreRefused) {
  ExpectRefused({
      {"List", 400,
       Handshake({"Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n", kVersion, kKey})},
      {"ListOtherFirst", 400,
       Handshake({"Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n", kVersion, kKey})},
      {"Twice", 400, Handshake({kUpgrade, "Upgrade: websocket\r\n", kVersion, kKey})},
      {"OtherToo", 400, Handshake({kUpgrade, "Upgrade: h2c\r\n", kVersion, kKey})},
      {"OtherTooFirst", 400, Handshake({"Upgrade: h2c\r\n", kUpgrade, kVersion, kKey})},
  });
}

TEST_F(SmugglingUpgradeTest, BadRequestLinesAreRefused) {
  ExpectRefused({
      {"Post", 400, HandshakeWithLine("POST /ws/ann HTTP/1.1")},
      {"LowerCaseGet", 400, HandshakeWithLine("get /ws/ann HTTP/1.1")},
      {"Connect", 400, HandshakeWithLine("CONNECT guard.example:80 HTTP/1.1")},
      {"Version09", 400, HandshakeWithLine("GET /ws/ann HTTP/0.9")},
      {"Version10", 400, HandshakeWithLine("GET /ws/ann HTTP/1.0")},
      {"Version12", 400, HandshakeWithLine("GET /ws/ann HTTP/1.2")},
      {"Version20", 400, HandshakeWithLine("GET /ws/ann HTTP/2.0")},
      {"NoVersion", 400, HandshakeWithLine("GET /ws/ann")},
      {"Fragment", 400, HandshakeWithLine("GET /ws/ann#x HTTP/1.1")},
      {"RawUtf8", 400, HandshakeWithLine("GET /ws/\xC3\xA4 HTTP/1.1")},
      {"SpaceInTarget", 400, HandshakeWithLine("GET /ws/ann bob HTTP/1.1")},
      {"TabInTarget", 400, HandshakeWithLine("GET /ws/ann\tbob HTTP/1.1")},
      {"ForeignScheme", 400, HandshakeWithLine("GET ftp://guard.example/ws/ann HTTP/1.1")},
      {"UserInfo", 400, HandshakeWithLine("GET ws://ann@guard.example/ws/ann HTTP/1.1")},
      {"TwoSpaces", 400, HandshakeWithLine("GET  /ws/ann HTTP/1.1")},
      {"LongLine", 414, HandshakeWithLine("GET /ws/" + std::string(kHeaderSize, 'a'))},
  });
}

TEST_F(SmugglingUpgradeTest, BadFieldsAreRefused) {
  std::string without_host = TestClient::Handshake("/ws/ann");
  without_host.erase(without_host.find("Host: "), "Host: guard.example\r\n"s.size());
  ExpectRefused({
      {"HostMissing", 400, without_host},
      {"HostTwice", 400, TestClient::Handshake("/ws/ann", "Host: guard.example\r\n")},
      {"OtherHostToo", 400, TestClient::Handshake("/ws/ann", "hOST: other.example\r\n")},
      {"BareLf", 400, TestClient::Handshake("/ws/ann", "X: a\n")},
      {"BareCr", 400, TestClient::Handshake("/ws/ann", "X: a\rb\r\n")},
      {"BareLfAtTheEnd", 400, TestClient::Handshake("/ws/ann", "\n")},
      {"Nul", 400, TestClient::Handshake("/ws/ann", "X: a\0b\r\n"s)},
      {"Escape", 400, TestClient::Handshake("/ws/ann", "X: \x1B[0m\r\n")},
      {"Folded", 400, TestClient::Handshake("/ws/ann", "X: a\r\n b\r\n")},
      {"FoldedProtocol", 400,
       TestClient::Handshake("/ws/ann", "Sec-WebSocket-Protocol: a\r\n\tb\r\n")},
      {"SpaceBeforeColon", 400, TestClient::Handshake("/ws/ann", "Origin : http://a\r\n")},
      {"NoColon", 400, TestClient::Handshake("/ws/ann", "Origin\r\n")},
      {"EmptyName", 400, TestClient::Handshake("/ws/ann", ": a\r\n")},
      {"Long", 431, TestClient::Handshake("/ws/ann", "X: " + std::string(kHeaderSize, 'a'))},
  });
}

// What a client sends behind its handshake are frames or nothing, whatever the origin answers.
TEST_F(SmugglingUpgradeTest, RequestBehindAHandshakeReachesNoOrigin) {
  for (const bool split : {false, true}) {
    for (const auto& [status, answer] : std::vector<std::pair<int, std::string>>{
             {101, OriginLeg::Upgraded()},
             {403, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"},
             {200, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
             {204, "HTTP/1.1 204 No Content\r\n\r\n"},
             {426, "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"},
             {502, "HTTP/1.1 101 Switching Protocols\r\n\r\n"}}) {
      SCOPED_TRACE(answer);
      TestClient client = guard().Connect();
      Send(client, TestClient::Handshake("/other") + std::string(kSmuggled), split);
      OriginLeg origin = origin_.Accept();
      EXPECT_TRUE(origin.ReadRequest().starts_with("GET /other HTTP/1.1\r\n"));
      EXPECT_TRUE(origin.Silent());
      Send(origin, answer, split);
      client.ExpectStatus(status);
      if (status == 101) {
        EXPECT_EQ(client.ReadClose(), 1002);
        EXPECT_EQ(origin.ReadClose(), 1001);
        origin.SendClose(1001);
      }
      client.ReadToEnd();
      EXPECT_EQ(origin.ReadToEnd(), "");
      client.Close();
      EXPECT_EQ(watch_.Probe(guard().Connect()), std::vector<std::string>{});
      watch_.Close();
    }
  }
}

// Likewise what an origin sends behind its 101.
// In one segment: what an upstream sends on behind its illegal frame is answered by a reset.
TEST_F(SmugglingUpgradeTest, AnswerBehindASwitchReachesNoClient) {
  for (const std::string& behind :
       {"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"s, "\r\n\r\nsmuggled"s,
        OriginLeg::Upgraded(), "smuggled"s, "\0\0\0\0smuggled"s}) {
    SCOPED_TRACE(behind);
    TestClient client = guard().Connect();
    client.SendHandshake("/other");
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(OriginLeg::Upgraded() + behind);
    client.ExpectStatus(101);
    EXPECT_EQ(client.ReadClose(), 1011);
    client.SendClose(1011);
    EXPECT_EQ(client.ReadToEnd(), "");
    EXPECT_EQ(origin.ReadClose(), 1002);
    origin.SendClose(1002);
    EXPECT_EQ(origin.ReadToEnd(), "");
  }
}

}  // namespace
}  // namespace connguard::testing
