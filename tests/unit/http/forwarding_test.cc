// Forwarding: what goes on to the other side, byte by byte.
#include "heads.h"

namespace connguard {
namespace {

using testing::Request;
using testing::Response;

const ClientInfo kClient{"192.0.2.7", false};

std::string Forwarded(std::string_view text, Hop hop, bool strip_extensions = false) {
  return Serialize(ForwardRequest(Request(text), kClient, hop, strip_extensions));
}

TEST(ForwardRequestTest, UpgradeGoesOnAsItCame) {
  EXPECT_EQ(Forwarded("GET /ws/a%20b?x=%zz HTTP/1.1\r\n"
                      "HOST: chat.example:8080\r\n"
                      "cookie: a=b\r\n"
                      "Connection: keep-alive, Upgrade\r\n"
                      "Upgrade: WebSocket\r\n"
                      "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                      "x-Twice: 1\r\n"
                      "X-twice: 2\r\n\r\n",
                      Hop::kUpgrade),
            "GET /ws/a%20b?x=%zz HTTP/1.1\r\n"
            "HOST: chat.example:8080\r\n"
            "cookie: a=b\r\n"
            "Connection: keep-alive, Upgrade\r\n"
            "Upgrade: WebSocket\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n"
            "x-Twice: 1\r\n"
            "X-twice: 2\r\n"
            "X-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: chat.example:8080\r\n\r\n");
}

TEST(ForwardRequestTest, FieldsNamedByConnectionGoNoFurther) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, x-hop\r\n"
      "Upgrade: websocket\r\nHTTP2-Settings: x\r\nX-Hop: 1\r\nX-Stays: 2\r\n"
      "Keep-Alive: 5\r\nProxy-Connection: close\r\n\r\n";
  EXPECT_EQ(Forwarded(text, Hop::kUpgrade),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, x-hop\r\n"
            "Upgrade: websocket\r\nX-Stays: 2\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
  EXPECT_EQ(Forwarded(text, Hop::kPlain),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Stays: 2\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
            "Connection: close\r\n\r\n");
}

TEST(ForwardRequestTest, ConnectionCannotTakeFramingHostOrHandshakeAway) {
  const std::string out = Forwarded(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nSec-WebSocket-Key: k\r\n"
      "Connection: host, content-length, sec-websocket-key, x-forwarded-for\r\n\r\n",
      Hop::kPlain);
  EXPECT_NE(out.find("Host: a\r\n"), std::string::npos);
  EXPECT_NE(out.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_NE(out.find("Sec-WebSocket-Key: k\r\n"), std::string::npos);
  EXPECT_NE(out.find("X-Forwarded-For: 192.0.2.7\r\n"), std::string::npos);
}

TEST(ForwardRequestTest, ChunkFramingIsKept) {
  const std::string out =
      Forwarded("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", Hop::kPlain);
  EXPECT_NE(out.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
}

TEST(ForwardRequestTest, OnlyTrailersOfTeGoesOn) {
  EXPECT_EQ(Forwarded("GET / HTTP/1.1\r\nHost: a\r\nTE: gzip\r\n\r\n", Hop::kPlain).find("TE:"),
            std::string::npos);
  EXPECT_NE(
      Forwarded("GET / HTTP/1.1\r\nHost: a\r\nConnection: te\r\nTE: trailers\r\n\r\n", Hop::kPlain)
          .find("TE: trailers\r\n"),
      std::string::npos);
}

TEST(ForwardRequestTest, WhatTheClientSaysOfItsOriginIsNotBelieved) {
  const std::string out = Forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: https\r\n"
      "X_Forwarded_Host: evil\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=6.6.6.6\r\n\r\n",
      Hop::kUpgrade);
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: a\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(ForwardRequestTest, TlsClientIsToldAsHttps) {
  const RequestHead head = ForwardRequest(Request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                          {"2001:db8::1", true}, Hop::kUpgrade, false);
  EXPECT_EQ(Find(head.fields, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(Find(head.fields, "X-Forwarded-For"), "2001:db8::1");
}

TEST(ForwardRequestTest, ClientOfAUnixSocketHasNoAddress) {
  const RequestHead head =
      ForwardRequest(Request("GET / HTTP/1.0\r\n\r\n"), {}, Hop::kPlain, false);
  EXPECT_EQ(Find(head.fields, "X-Forwarded-For"), std::nullopt);
  EXPECT_EQ(Find(head.fields, "X-Forwarded-Host"), std::nullopt);
}

TEST(ForwardRequestTest, AbsoluteTargetBecomesPathAndHost) {
  const auto forwarded = [](std::string_view text) {
    const RequestHead head = ForwardRequest(Request(text), kClient, Hop::kPlain, false);
    return head.target + ' ' + std::string(*Find(head.fields, "Host")) + ' ' +
           std::string(*Find(head.fields, "X-Forwarded-Host"));
  };
  EXPECT_EQ(forwarded("GET http://b:81/x?y=%20 HTTP/1.1\r\nHost: a\r\n\r\n"), "/x?y=%20 b:81 b:81");
  EXPECT_EQ(forwarded("GET WS://b HTTP/1.1\r\nHost: a\r\n\r\n"), "/ b b");
  EXPECT_EQ(forwarded("GET http://b?q HTTP/1.0\r\n\r\n"), "/?q b b");
  EXPECT_EQ(forwarded("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n"), "* b b");
}

TEST(ForwardRequestTest, ExtensionsAreStrippedOnRequest) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nSEC-WebSocket-Extensions: permessage-deflate\r\n\r\n";
  EXPECT_EQ(Forwarded(text, Hop::kUpgrade, true).find("permessage"), std::string::npos);
  EXPECT_NE(Forwarded(text, Hop::kUpgrade, false).find("permessage"), std::string::npos);
}

TEST(ForwardResponseTest, SwitchingProtocolsPassesAsItCame) {
  const std::string text =
      "HTTP/1.1 101 Web Socket\r\nserver: x\r\nConnection: Upgrade, x\r\nUPGRADE: websocket\r\n"
      "Set-Cookie: a\r\nSet-Cookie: b\r\nX: y\r\n\r\n";
  EXPECT_EQ(Serialize(ForwardResponse(Response(text), Hop::kUpgrade)), text);
}

TEST(ForwardResponseTest, PlainAnswerClosesItsConnection) {
  EXPECT_EQ(
      Serialize(ForwardResponse(
          Response("HTTP/1.1 200 Fine\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\n"
                   "X-Hop: 1\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\n"
                   "set-cookie: b\r\n\r\n"),
          Hop::kPlain)),
      "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
      "Connection: close\r\n\r\n");
}

TEST(ForwardResponseTest, InterimAnswerSaysNothingOfTheConnection) {
  EXPECT_EQ(Serialize(ForwardResponse(Response("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
                                      Hop::kPlain)),
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
}

TEST(ForwardResponseTest, UpgradeRequiredStillSaysToWhat) {
  EXPECT_EQ(
      Serialize(ForwardResponse(Response("HTTP/1.1 426 Upgrade Required\r\n"
                                         "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
                                Hop::kPlain)),
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n\r\n");
}

}  // namespace
}  // namespace connguard
