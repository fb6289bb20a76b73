// A client's handshake: held until the upstream has answered, and answered as the upstream did.
#include "support/guard_test.h"

namespace connguard::testing {
namespace {

using HandshakeTest = GuardTest;

// What an origin sees of TestClient::Handshake, with the three fields that the guard adds.
std::string AsForwarded(std::string_view target, std::string_view fields) {
  std::string request = TestClient::Handshake(target, fields);
  request.resize(request.size() - 2);
  return request +
         "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
         "X-Forwarded-Host: guard.example\r\n\r\n";
}

TEST_F(HandshakeTest, No101BeforeTheUpstreamHasAnswered) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  EXPECT_TRUE(client.Silent());
  origin.Send(OriginLeg::Upgraded());
  client.ExpectStatus(101);
}

TEST_F(HandshakeTest, TheUpstreams101ReachesTheClientByteForByte) {
  StartGuard();
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann", "Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n");
  OriginLeg origin = origin_.Accept();
  const std::string answer =
      "HTTP/1.1 101 As You Like\r\nSeRvEr: odd/1\r\nX-Twice: 1\r\nupgrade: WebSocket\r\n"
      "X-Twice: 2\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nConnection: upgrade\r\n"
      "Sec-WebSocket-Protocol: chat.v2\r\nSec-WebSocket-Accept: " +
      std::string(kSampleAccept) + "\r\nx-twice: 3\r\n\r\n";
  origin.ReadRequest();
  origin.Send(answer);
  EXPECT_EQ(client.ReadAnswer().head, answer);
}

TEST_F(HandshakeTest, EveryFieldOfTheClientGoesUpstreamAsItCame) {
  StartGuard();
  TestClient client = guard().Connect();
  const std::string fields =
      "oRiGiN: https://elsewhere.example\r\nCookie: a=1; b=\"2\"\r\nX-Odd_Name.1: \"quoted\", x\r\n"
      "Authorization: Bearer abc.def\r\nX-Twice: 1\r\nX-twice: 2\r\nX-Empty:\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  client.SendHandshake("/ws/ann", fields);
  OriginLeg origin = origin_.Accept();
  std::string expected = AsForwarded("/ws/ann", fields);
  expected.replace(expected.find("X-Empty:"), 8, "X-Empty: ");
  EXPECT_EQ(origin.ReadRequest(), expected);
}

TEST_F(HandshakeTest, AClientCannotPoseAsAnotherByForwardedFields) {
  StartGuard();
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann", "X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\n");
  OriginLeg origin = origin_.Accept();
  EXPECT_EQ(origin.ReadRequest(), AsForwarded("/ws/ann", ""));
}

TEST_F(HandshakeTest, TheTargetReachesTheUpstreamByteForByte) {
  StartGuard();
  for (const std::string_view target : {"/ws/ann?a=%20z", "/ws/a%6En?x=%7e&y=a+b&&=",
                                        "/ws/%e4%bd%a0?q='()*", "/a//b/../c/./%2e%2F?"}) {
    TestClient client = Connect(target);
    OriginLeg origin = origin_.Accept();
    EXPECT_EQ(origin.ReadRequest(), AsForwarded(target, ""));
  }
}

TEST_F(HandshakeTest, TheUpstreamsRefusalReachesTheClientWithItsBody) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  origin.Send(
      "HTTP/1.1 403 Not You\r\nX-Why: because\r\nSet-Cookie: a=1\r\nContent-Length: "
      "5\r\n\r\nnever");
  EXPECT_EQ(client.ReadToEnd(),
            "HTTP/1.1 403 Not You\r\nX-Why: because\r\nSet-Cookie: a=1\r\nContent-Length: 5\r\n"
            "Connection: close\r\n\r\nnever");
}

TEST_F(HandshakeTest, AChunkedRefusalReachesTheClientChunkByChunk) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  origin.Send("HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.ExpectStatus(401);
  origin.Send("4;x=y\r\nabcd\r\n");
  EXPECT_EQ(client.Read(13), "4;x=y\r\nabcd\r\n");
  origin.Send("0\r\nT: 1\r\n\r\n");
  PeerEnd end = PeerEnd::kReset;
  EXPECT_EQ(client.ReadToEnd(&end), "0\r\nT: 1\r\n\r\n");
  EXPECT_EQ(end, PeerEnd::kFin);
}

TEST_F(HandshakeTest, ARefusalThatEndsWithItsConnectionReachesTheClientWhole) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  const std::string body(300'000, 'b');
  origin.Send("HTTP/1.1 500 Broken\r\n\r\n" + body);
  origin.Finish();
  client.ExpectStatus(500);
  PeerEnd end = PeerEnd::kReset;
  EXPECT_EQ(client.ReadToEnd(&end), body);
  EXPECT_EQ(end, PeerEnd::kFin);
}

TEST_F(HandshakeTest, HalfARefusalIsVisiblyIncomplete) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  origin.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nhalf");
  client.ExpectStatus(403);
  EXPECT_EQ(client.Read(4), "half");
  origin.Close();
  PeerEnd end = PeerEnd::kFin;
  EXPECT_EQ(client.ReadToEnd(&end), "");
  EXPECT_EQ(end, PeerEnd::kReset);
}

TEST_F(HandshakeTest, AnInterimAnswerIsNotTheAnswer) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  origin.Send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  origin.Send(OriginLeg::Upgraded());
  client.ExpectStatus(101);
}

TEST_F(HandshakeTest, A101ForAnotherKeyIsABadGateway) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  origin.Send(
      "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
  client.ExpectStatus(502);
}

TEST_F(HandshakeTest, BytesBehindTheClientsHandshakeAreNotLost) {
  StartGuard();
  TestClient client = guard().Connect();
  const std::string frames =
      client.MakeFrame({.opcode = 1}, "early") + client.MakeFrame({.opcode = 2}, "bird");
  client.Send(TestClient::Handshake("/ws/ann") + frames);
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  EXPECT_TRUE(origin.Silent());  // nobody may send frames before the 101
  origin.Send(OriginLeg::Upgraded());
  EXPECT_EQ(origin.Read(frames.size()), frames);
}

TEST_F(HandshakeTest, BytesBehindTheUpstreamsHandshakeAreNotLost) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  origin.Send(OriginLeg::Upgraded() + origin.MakeFrame({.opcode = 1}, "welcome"));
  client.ExpectStatus(101);
  EXPECT_EQ(client.ReadText(), "welcome");
}

TEST_F(HandshakeTest, MoreThanABufferBehindTheClientsHandshakeIsNotLost) {
  GuardSetup setup;
  setup.limits = "{buffer: 16KiB}";
  StartGuard(setup);
  TestClient client = guard().Connect();
  client.SendHandshake("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  const std::string frame = client.MakeFrame({.opcode = 2}, std::string(200'000, 'x'));
  client.Send(frame);
  origin.Send(OriginLeg::Upgraded());
  EXPECT_TRUE(origin.Read(frame.size()) == frame);
  client.ExpectStatus(101);
}

TEST_F(HandshakeTest, HandshakesMayComeByteByByte) {
  StartGuard();
  TestClient client = guard().Connect();
  client.SendByteByByte(TestClient::Handshake("/ws/ann"));
  OriginLeg origin = origin_.Accept();
  EXPECT_EQ(origin.ReadRequest(), AsForwarded("/ws/ann", ""));
  origin.SendByteByByte(OriginLeg::Upgraded());
  EXPECT_EQ(client.ReadAnswer().head, OriginLeg::Upgraded());
}

TEST_F(HandshakeTest, AClientThatLeavesWhileTheUpstreamThinksLeavesNothing) {
  StartGuard();
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  client.Reset();
  guard().AwaitMetric("connguard_handshakes_total", "client_left", 1);
  origin.Send(OriginLeg::Upgraded());  // the handshake that was begun is finished
  EXPECT_EQ(origin.ReadClose(), 1000);
  origin.SendClose(1000);
  EXPECT_EQ(origin.ReadToEnd(), "");
}

}  // namespace
}  // namespace connguard::testing
