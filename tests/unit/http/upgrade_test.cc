// The WebSocket opening handshake, both sides.
#include <map>

#include "heads.h"

namespace connguard {
namespace {

using testing::Request;
using testing::Response;

const std::string kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 §1.3
const std::string kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// A sound request, with some fields changed, left out (empty) or added.
RequestHead Upgrade(const std::map<std::string, std::string>& changes,
                    const std::string& line = "GET / HTTP/1.1") {
  std::map<std::string, std::string> fields = {{"Connection", "Upgrade"},
                                               {"Host", "a"},
                                               {"Sec-WebSocket-Key", kKey},
                                               {"Sec-WebSocket-Version", "13"},
                                               {"Upgrade", "websocket"}};
  for (const auto& [name, value] : changes) fields[name] = value;
  std::string text = line + "\r\n";
  for (const auto& [name, value] : fields) {
    if (!value.empty()) text += name + ": " + value + "\r\n";
  }
  return Request(text + "\r\n");
}

int RefusedWith(const RequestHead& head) {
  EXPECT_TRUE(IsWebSocketUpgrade(head));
  const auto refusal = CheckWebSocketUpgrade(head);
  return refusal ? refusal->status : 0;
}

TEST(UpgradeTest, SoundRequestIsAccepted) {
  EXPECT_EQ(RefusedWith(Upgrade({})), 0);
  EXPECT_EQ(RefusedWith(Upgrade({{"Connection", "keep-alive, UPGRADE"}, {"Upgrade", "WebSocket"}})),
            0);
  EXPECT_EQ(RefusedWith(Upgrade({{"Content-Length", "0"}})), 0);
}

TEST(UpgradeTest, RequestWithoutBothTokensIsNoUpgrade) {
  EXPECT_FALSE(IsWebSocketUpgrade(Upgrade({{"Connection", "keep-alive"}})));
  EXPECT_FALSE(IsWebSocketUpgrade(Upgrade({{"Upgrade", "h2c"}})));
  EXPECT_FALSE(IsWebSocketUpgrade(Upgrade({{"Upgrade", ""}})));
}

TEST(UpgradeTest, OtherVersionsAreToldTheRightOne) {
  EXPECT_EQ(RefusedWith(Upgrade({{"Sec-WebSocket-Version", "8"}})), 426);
  EXPECT_EQ(RefusedWith(Upgrade({{"Sec-WebSocket-Version", ""}})), 426);
  EXPECT_EQ(RefusedWith(Upgrade({{"Sec-WebSocket-Version", "13, 8"}})), 426);
  EXPECT_EQ(RefusedWith(Upgrade({{"sec-websocket-version", "13"}})), 426) << "twice";
}

TEST(UpgradeTest, KeyMustBeSixteenBytes) {
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25j!Q==",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZTEy==", "x"}) {
    EXPECT_EQ(RefusedWith(Upgrade({{"Sec-WebSocket-Key", key}})), 400) << key;
  }
  EXPECT_EQ(RefusedWith(Upgrade({{"sec-websocket-key", kKey}})), 400) << "twice";
}

TEST(UpgradeTest, BodyIsRefused) {
  EXPECT_EQ(RefusedWith(Upgrade({{"Content-Length", "1"}})), 400);
  EXPECT_EQ(RefusedWith(Upgrade({{"Transfer-Encoding", "chunked"}})), 400);
}

TEST(UpgradeTest, OtherMethodsVersionsAndProtocolsAreRefused) {
  EXPECT_EQ(RefusedWith(Upgrade({}, "POST / HTTP/1.1")), 400);
  EXPECT_EQ(RefusedWith(Upgrade({}, "GET / HTTP/1.0")), 400);
  EXPECT_EQ(RefusedWith(Upgrade({{"Upgrade", "websocket, h2c"}})), 400);
  EXPECT_EQ(RefusedWith(Upgrade({{"upgrade", "h2c"}})), 400);
}

std::string Answer(const std::string& accept) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         accept + "\r\n\r\n";
}

TEST(UpgradeTest, AnswerMustFitTheKey) {
  EXPECT_TRUE(IsWebSocketAccept(Response(Answer(kAccept)), kKey));
  EXPECT_FALSE(IsWebSocketAccept(Response(Answer(kAccept)), "x3JJHMbDL1EzLkh9GBhXDw=="));
  EXPECT_FALSE(IsWebSocketAccept(Response(Answer("S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")), kKey));
  EXPECT_FALSE(IsWebSocketAccept(Response(Answer("")), kKey));
}

TEST(UpgradeTest, AnswerMustSwitchToWebSocketOnly) {
  for (const char* text : {
           "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
           "HTTP/1.0 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
           "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n",
           "HTTP/1.1 101 X\r\nUpgrade: websocket, h2c\r\nConnection: Upgrade\r\n",
           "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n",
           "HTTP/1.1 101 X\r\nConnection: Upgrade\r\n",
           "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
       }) {
    const std::string head = std::string(text) + "Sec-WebSocket-Accept: " + kAccept + "\r\n\r\n";
    EXPECT_FALSE(IsWebSocketAccept(Response(head), kKey)) << text;
  }
}

TEST(UpgradeTest, AnswerMustNotAnnounceABody) {
  const std::string head = Answer(kAccept);
  const auto accepted = [&head](const std::string& field) {
    return IsWebSocketAccept(Response(head.substr(0, head.size() - 2) + field + "\r\n\r\n"), kKey);
  };
  EXPECT_TRUE(accepted("Content-Length: 0"));
  EXPECT_FALSE(accepted("Content-Length: 5"));
  EXPECT_FALSE(accepted("Transfer-Encoding: chunked"));
}

}  // namespace
}  // namespace connguard
