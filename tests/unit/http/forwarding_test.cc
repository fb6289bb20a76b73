// Forwarding: what goes on to the other side, byte by byte.
#include "http/forwarding.h"

#include "heads.h"

namespace connguard {
namespace {

using testing::Request;
using testing::Response;

RequestHop Plain() {
  RequestHop hop;
  hop.client_ip = "192.0.2.7";
  return hop;
}

RequestHop Upgrade() {
  RequestHop hop = Plain();
  hop.upgrade = true;
  return hop;
}

RequestHop Trusted() {
  RequestHop hop = Plain();
  hop.trusted = true;
  return hop;
}

std::string Forwarded(std::string_view text, const RequestHop& hop = Plain()) {
  return ForwardRequest(Request(text), hop);
}

std::string Forwarded(std::string_view text, const ResponseHop& hop) {
  return ForwardResponse(Response(text), hop);
}

bool Holds(const std::string& text, std::string_view line) {
  return text.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
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
                      Upgrade()),
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

TEST(ForwardRequestTest, FieldsOfOneHopGoNoFurther) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, x-hop\r\n"
      "Upgrade: websocket\r\nHTTP2-Settings: x\r\nX-Hop: 1\r\nX-Stays: 2\r\n"
      "Keep-Alive: 5\r\nProxy-Connection: close\r\nProxy-Authorization: b\r\n\r\n";
  EXPECT_EQ(Forwarded(text, Upgrade()),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, x-hop\r\n"
            "Upgrade: websocket\r\nX-Stays: 2\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
  EXPECT_EQ(Forwarded(text),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Stays: 2\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(ForwardRequestTest, ConnectionCannotTakeFramingHostOrHandshakeAway) {
  const std::string out = Forwarded(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nSec-WebSocket-Key: k\r\n"
      "Connection: host, content-length, sec-websocket-key, x-forwarded-for\r\n\r\n");
  EXPECT_TRUE(Holds(out, "Host: a"));
  EXPECT_TRUE(Holds(out, "Content-Length: 5"));
  EXPECT_TRUE(Holds(out, "Sec-WebSocket-Key: k"));
  EXPECT_TRUE(Holds(out, "X-Forwarded-For: 192.0.2.7"));
}

TEST(ForwardRequestTest, ChunkFramingIsKept) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_TRUE(Holds(Forwarded(head + "\r\n"), "Transfer-Encoding: chunked"));
  EXPECT_TRUE(Holds(Forwarded(head + "Connection: transfer-encoding\r\n\r\n"),
                    "Transfer-Encoding: chunked"));
}

TEST(ForwardRequestTest, OnlyTrailersOfTeGoesOn) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(Forwarded(head + "TE: gzip\r\n\r\n").find("TE:"), std::string::npos);
  const std::string out = Forwarded(head + "Connection: te\r\nTE: gzip;q=1, trailers\r\n\r\n");
  EXPECT_TRUE(Holds(out, "TE: trailers"));
  EXPECT_TRUE(Holds(out, "Connection: TE"));
}

TEST(ForwardRequestTest, LastRequestOfAConnectionSaysSo) {
  RequestHop hop = Plain();
  hop.close = true;
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n";
  EXPECT_TRUE(Holds(Forwarded(head + "\r\n", hop), "Connection: close"));
  EXPECT_TRUE(Holds(Forwarded(head + "TE: trailers\r\n\r\n", hop), "Connection: close, TE"));
}

TEST(ForwardRequestTest, WhatTheClientSaysOfItsOriginIsNotBelieved) {
  const std::string out = Forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: https\r\n"
      "X_Forwarded_Host: evil\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=6.6.6.6\r\n\r\n");
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: a\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(ForwardRequestTest, WhatATrustedProxySaysIsPassedOn) {
  const std::string out = Forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n"
      "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: b\r\nX-Forwarded-Prefix: /x\r\n"
      "X_Forwarded_For: 6.6.6.6\r\nForwarded: for=198.51.100.1\r\n\r\n",
      Trusted());
  EXPECT_TRUE(Holds(out, "X-Forwarded-For: 198.51.100.1, 10.0.0.1, 192.0.2.7"));
  EXPECT_TRUE(Holds(out, "X-Forwarded-Proto: https"));
  EXPECT_TRUE(Holds(out, "X-Forwarded-Host: b"));
  EXPECT_TRUE(Holds(out, "X-Forwarded-Prefix: /x"));
  EXPECT_TRUE(Holds(out, "Forwarded: for=198.51.100.1"));
  EXPECT_EQ(Count(Request(out).fields, "X-Forwarded-For"), 1U);
  EXPECT_EQ(Count(Request(out).fields, "X-Forwarded-Proto"), 1U);
}

TEST(ForwardRequestTest, ForwardedIsSaidOnRequest) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a:81\r\nForwarded: for=6.6.6.6\r\n\r\n";
  RequestHop hop = Plain();
  hop.forwarded = true;
  EXPECT_EQ(Find(Request(Forwarded(text, hop)).fields, "Forwarded"),
            "for=192.0.2.7;host=\"a:81\";proto=http");
  hop.client_ip = "2001:db8::1";
  hop.tls = true;
  EXPECT_EQ(Find(Request(Forwarded(text, hop)).fields, "Forwarded"),
            "for=\"[2001:db8::1]\";host=\"a:81\";proto=https");
  hop = Trusted();
  hop.forwarded = true;
  EXPECT_EQ(Find(Request(Forwarded(text, hop)).fields, "Forwarded"),
            "for=6.6.6.6, for=192.0.2.7;host=\"a:81\";proto=http");
}

TEST(ForwardRequestTest, ViaIsSaidOnRequestAndOthersAreKept) {
  RequestHop hop = Plain();
  hop.via = true;
  const RequestHead head =
      Request(Forwarded("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 edge\r\n\r\n", hop));
  ASSERT_EQ(Count(head.fields, "Via"), 2U);
  EXPECT_EQ(Find(head.fields, "Via"), "1.1 edge");
  EXPECT_TRUE(HasToken(head.fields, "Via", "1.1 connguard"));
}

TEST(ForwardRequestTest, TlsClientIsToldAsHttps) {
  RequestHop hop = Plain();
  hop.tls = true;
  EXPECT_TRUE(
      Holds(Forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", hop), "X-Forwarded-Proto: https"));
}

TEST(ForwardRequestTest, ClientOfAUnixSocketHasNoAddress) {
  const std::string out = Forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", RequestHop{});
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(ForwardRequestTest, RequestOfHttp10GoesOnAs11) {
  RequestHop hop = Plain();
  hop.host = "origin:81";
  EXPECT_EQ(
      Forwarded("GET / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n", hop),
      "GET / HTTP/1.1\r\nHost: origin:81\r\n"
      "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
      "X-Forwarded-Host: origin:81\r\n\r\n");
}

TEST(ForwardRequestTest, AbsoluteTargetBecomesPathAndHost) {
  const auto forwarded = [](std::string_view text) {
    const RequestHead head = Request(Forwarded(text));
    EXPECT_EQ(Count(head.fields, "Host"), 1U);
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
  RequestHop hop = Upgrade();
  EXPECT_NE(Forwarded(text, hop).find("permessage"), std::string::npos);
  hop.strip_extensions = true;
  EXPECT_EQ(Forwarded(text, hop).find("permessage"), std::string::npos);
}

TEST(ForwardRequestTest, OnlyDeflateIsOfferedOnRequest) {
  RequestHop hop = Upgrade();
  hop.deflate_only = true;
  const std::string out = Forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nSEC-WebSocket-Extensions: foo;a=b, permessage-deflate;x "
      ",bar\r\n"
      "X: y\r\nSec-WebSocket-Extensions: permessage-bzip2\r\n"
      "sec-websocket-extensions: permessage-deflate;client_max_window_bits=\"9\" \r\n\r\n",
      hop);
  EXPECT_TRUE(Holds(out,
                    "SEC-WebSocket-Extensions: permessage-deflate;x\r\nX: y\r\n"
                    "sec-websocket-extensions: permessage-deflate;client_max_window_bits=\"9\""))
      << out;
  hop.strip_extensions = true;
  EXPECT_EQ(Forwarded("GET / HTTP/1.1\r\nHost: a\r\n"
                      "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                      hop)
                .find("permessage"),
            std::string::npos);
}

TEST(ForwardRequestTest, WhatOnlyTheProxySaysIsNotTakenFromTheClient) {
  RequestHop hop = Trusted();
  hop.removed = {"X-Client-Subject"};
  hop.added = {{"X-User", "ann"}};
  const std::string out = Forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nx-client-subject: CN=evil\r\nX_Client_Subject: CN=evil\r\n"
      "X-USER: evil\r\nX_User: evil\r\nx-user_: 1\r\nX-Users: 2\r\nConnection: x-user\r\n\r\n",
      hop);
  EXPECT_EQ(out.find("evil"), std::string::npos) << out;
  EXPECT_TRUE(Holds(out, "X-User: ann"));
  EXPECT_TRUE(Holds(out, "x-user_: 1"));
  EXPECT_TRUE(Holds(out, "X-Users: 2"));
}

TEST(ForwardRequestTest, WhatIsAddedStandsBeforeWhatTheProxySaysOfTheClient) {
  RequestHop hop = Upgrade();
  hop.added = {{"Authorization", "Bearer x"}, {"X-User", "ann"}, {"X-User", "bob"}};
  EXPECT_EQ(Forwarded("GET / HTTP/1.1\r\nHost: a\r\nauthorization: Basic y\r\nA: b\r\n"
                      "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
                      hop),
            "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Authorization: Bearer x\r\nX-User: ann\r\nX-User: bob\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST(ForwardRequestTest, AnotherTargetGoesOnInThePlaceOfTheHeads) {
  RequestHop hop = Plain();
  hop.target = "/ws?a=%20";
  EXPECT_EQ(Request(Forwarded("GET /ws?token=x&a=%20 HTTP/1.1\r\nHost: a\r\n\r\n", hop)).target,
            "/ws?a=%20");
  hop.target = "http://b:1?a";
  const RequestHead head =
      Request(Forwarded("GET http://b:1?a&token=x HTTP/1.1\r\nHost: a\r\n\r\n", hop));
  EXPECT_EQ(head.target, "/?a");
  EXPECT_EQ(Find(head.fields, "Host"), "b:1");
}

TEST(ForwardRequestTest, SomeFieldsCannotBeSet) {
  for (const char* name : {"connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer",
                           "Upgrade", "Via", "Transfer-Encoding", "Content-Length", "HOST",
                           "Expect", "Sec-WebSocket-Key", "sec-websocket-protocol", "Forwarded",
                           "X-Forwarded-For", "X_Forwarded-User", "traceparent", "tracestate"}) {
    EXPECT_FALSE(MayBeSet(name)) << name;
  }
  for (const char* name : {"Authorization", "Cookie", "X-User", "X-Forward", "Sec-Fetch-Site"}) {
    EXPECT_TRUE(MayBeSet(name)) << name;
  }
}

TEST(ForwardResponseTest, SwitchingProtocolsPassesAsItCame) {
  const std::string text =
      "HTTP/1.1 101 Web Socket\r\nserver: x\r\nConnection: Upgrade, x\r\nUPGRADE: websocket\r\n"
      "Set-Cookie: a\r\nSet-Cookie: b\r\nX: y\r\n\r\n";
  EXPECT_EQ(Forwarded(text, ResponseHop{.upgrade = true}), text);
}

TEST(ForwardResponseTest, FieldsOfOneHopGoNoFurther) {
  const std::string text =
      "HTTP/1.1 200 Fine\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\n"
      "X-Hop: 1\r\nUpgrade: h2c\r\nProxy-Authenticate: b\r\nTransfer-Encoding: chunked\r\n"
      "Set-Cookie: a\r\nset-cookie: b\r\nDate: d\r\nServer: s\r\n\r\n";
  const std::string passed =
      "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
      "Date: d\r\nServer: s\r\n";
  EXPECT_EQ(Forwarded(text, ResponseHop{}), passed + "\r\n");
  EXPECT_EQ(Forwarded(text, ResponseHop{.close = true}), passed + "Connection: close\r\n\r\n");
  EXPECT_EQ(Forwarded(text, ResponseHop{.via = true}), passed + "Via: 1.1 connguard\r\n\r\n");
}

TEST(ForwardResponseTest, ClientOfHttp10GetsNoTransferCoding) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nA: b\r\n\r\n";
  EXPECT_EQ(Forwarded(text, ResponseHop{.close = true, .client_version = 10}),
            "HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n");
}

TEST(ForwardResponseTest, ClientOfHttp10IsToldThatItsConnectionStays) {
  EXPECT_EQ(Forwarded("HTTP/1.1 204 None\r\n\r\n", ResponseHop{.client_version = 10}),
            "HTTP/1.1 204 None\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ForwardResponseTest, AnswerOfHttp10GoesOnAs11) {
  EXPECT_EQ(Forwarded("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", ResponseHop{}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(ForwardResponseTest, InterimAnswerSaysNothingOfTheConnection) {
  const std::string text = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  EXPECT_EQ(Forwarded(text, ResponseHop{.close = true}), text);
}

TEST(ForwardResponseTest, AnswerWithoutABodyAnnouncesNone) {
  for (const std::string status : {"103 Early Hints", "204 None"}) {
    for (const std::string field : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
      EXPECT_EQ(
          Forwarded("HTTP/1.1 " + status + "\r\n" + field + "\r\nA: b\r\n\r\n", ResponseHop{}),
          "HTTP/1.1 " + status + "\r\nA: b\r\n\r\n");
    }
  }
  // There it is the length that the answer to GET would have (RFC 9110 §8.6).
  const std::string unchanged = "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(Forwarded(unchanged, ResponseHop{}), unchanged);
}

TEST(ForwardResponseTest, UpgradeRequiredStillSaysToWhat) {
  const std::string text =
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  EXPECT_EQ(Forwarded(text, ResponseHop{}), text);
  EXPECT_TRUE(Holds(Forwarded(text, ResponseHop{.close = true}), "Connection: close, Upgrade"));
}

TEST(TargetOfTest, AnAbsoluteTargetsAuthorityOutranksHost) {
  const auto of = [](const std::string& target, const std::string& more = "Host: a.example\r\n") {
    const RequestHead head = Request("GET " + target + " HTTP/1.0\r\n" + more + "\r\n");
    const RequestTarget asked = TargetOf(head);
    return asked.target + " of " + std::string(asked.host);
  };
  EXPECT_EQ(of("/x?y"), "/x?y of a.example");
  EXPECT_EQ(of("/x", ""), "/x of ");
  EXPECT_EQ(of("http://b.example:1/x?y"), "/x?y of b.example:1");
  EXPECT_EQ(of("http://b.example?y", ""), "/?y of b.example");
}

}  // namespace
}  // namespace connguard
