// Answers that two readers could take differently reach no client, nor does what follows a whole
// one.
#include <chrono>
#include <system_error>

#include "closing.h"
#include "smuggling.h"

namespace connguard::testing {
namespace {

using namespace std::string_literals;

struct BadAnswer {
  std::string name;
  std::string bytes;
  std::string sound = {};  // all that may reach the client; empty: a 502
};

std::string Ok(std::string_view fields, std::string_view body = "") {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

class SmugglingAnswerTest : public SmugglingTest {
 protected:
  // Each answer to a plain request is a 502, and its connections are closed.
  void ExpectBadGateway(const std::vector<BadAnswer>& table) { ExpectBadGateway(table, Get("")); }
  void ExpectBadGateway(const std::vector<BadAnswer>& table, const std::string& request) {
    ForEach<BadAnswer>(table, [&](const BadAnswer& bad, bool split) {
      auto [client, origin] = Exchange(request, bad.bytes, split);
      const Answer answer = client.ExpectStatus(502);
      EXPECT_EQ(answer.Value("Content-Type"), "application/problem+json");
      PeerEnd end = PeerEnd::kReset;
      const std::string body = client.ReadToEnd(&end);
      EXPECT_EQ(end, PeerEnd::kFin);
      EXPECT_EQ(answer.Value("Content-Length"), std::to_string(body.size()));
      EXPECT_EQ((answer.head + body).find("smuggled"), std::string::npos) << answer.head << body;
      EXPECT_EQ(origin.ReadToEnd(), "");
    });
  }

  // Each answer is a 502, or it is begun and then cut so that it does not look whole. `unchunked`:
  // its data reach the client without their chunk headers.
  void ExpectCutShort(const std::vector<BadAnswer>& table, const std::string& request,
                      bool unchunked = false) {
    ForEach<BadAnswer>(table, [&](const BadAnswer& bad, bool split) {
      auto [client, origin] = Exchange(request, bad.bytes, split);
      PeerEnd end = PeerEnd::kFin;
      const std::string text = client.ReadToEnd(&end);
      const std::size_t head = text.find("\r\n\r\n");
      const std::string body = head == std::string::npos ? "" : text.substr(head + 4);
      EXPECT_EQ(body.find("smuggled"), std::string::npos) << text;
      const bool refused = text.starts_with("HTTP/1.1 502 ");
      EXPECT_EQ(end, refused ? PeerEnd::kFin : PeerEnd::kReset) << text;
      if (!refused && !unchunked) {
        EXPECT_TRUE(bad.sound.starts_with(body)) << text;
      }
      EXPECT_EQ(origin.ReadToEnd(), "");
    });
  }

 private:
  // A request whose answer is sent; the guard may hang up in the middle of it.
  Ends Exchange(const std::string& request, const std::string& answer, bool split) {
    TestClient client = guard().Connect();
    client.Send(request);
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    try {
      Send(origin, answer, split);
    } catch (const std::system_error&) {
    }
    return {std::move(client), std::move(origin)};
  }
};

TEST_F(SmugglingAnswerTest, UnclearLengthsAre502) {
  std::vector<BadAnswer> table;
  for (const auto& [name, fields] : std::vector<std::pair<std::string, std::string>>{
           {"LengthTwice", "Content-Length: 8\r\nContent-Length: 8\r\n"},
           {"LengthsConflict", "Content-Length: 8\r\nContent-Length: 2\r\n"},
           {"LengthTwiceInOtherCase", "content-length: 8\r\nCONTENT-LENGTH: 8\r\n"},
           {"LengthList", "Content-Length: 8, 8\r\n"},
           {"LengthEmpty", "Content-Length:\r\n"},
           {"LengthPlus", "Content-Length: +8\r\n"},
           {"LengthMinus", "Content-Length: -8\r\n"},
           {"LengthHex", "Content-Length: 0x8\r\n"},
           {"LengthWord", "Content-Length: eight\r\n"},
           {"LengthOver64Bits", "Content-Length: 18446744073709551624\r\n"},
           {"LengthAndChunked", "Content-Length: 8\r\nTransfer-Encoding: chunked\r\n"},
           {"ChunkedAndLength", "Transfer-Encoding: chunked\r\nContent-Length: 8\r\n"},
           {"LengthAndIdentity", "Content-Length: 8\r\nTransfer-Encoding: identity\r\n"},
           {"ChunkedTwice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
           {"ChunkedTwiceInAList", "Transfer-Encoding: chunked, chunked\r\n"},
           {"ChunkedIdentity", "Transfer-Encoding: chunked, identity\r\n"},
           {"Identity", "Transfer-Encoding: identity\r\n"},
           {"Gzip", "Transfer-Encoding: gzip\r\n"},
           {"GzipChunked", "Transfer-Encoding: gzip, chunked\r\n"},
           {"XChunked", "Transfer-Encoding: xchunked\r\n"},
           {"ChunkedQuoted", "Transfer-Encoding: \"chunked\"\r\n"},
           {"ChunkedWithParameter", "Transfer-Encoding: chunked;q=1\r\n"},
           {"ChunkedVerticalTab", "Transfer-Encoding: chunked\v\r\n"},
           {"CodingEmpty", "Transfer-Encoding:\r\n"},
           {"CodingSpaceBeforeColon", "Transfer-Encoding : chunked\r\n"},
           {"CodingFolded", "Transfer-Encoding:\r\n chunked\r\n"},
           {"LengthSpaceBeforeColon", "Content-Length : 8\r\n"},
           {"LengthFolded", "Content-Length:\r\n 8\r\n"}}) {
    table.push_back({name, Ok(fields, "smuggled")});
  }
  table.push_back(
      {"ChunkedIn10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nsmuggled\r\n"});
  ExpectBadGateway(table);
}

TEST_F(SmugglingAnswerTest, IllegalBytesAndLinesAre502) {
  ExpectBadGateway({
      {"BareLfAfterStatusLine", "HTTP/1.1 200 OK\nX: smuggled\r\n\r\n"},
      {"BareLfAfterField", Ok("X: smuggled\nContent-Length: 0\r\n")},
      {"OnlyBareLf", "HTTP/1.1 200 OK\nContent-Length: 8\n\nsmuggled"},
      {"BareLfAtTheEnd", Ok("Content-Length: 8\r\n\n", "smuggled")},
      {"BareCrInValue", Ok("X: a\rSet-Cookie: smuggled\r\n")},
      {"BareCrBeforeCrLf", Ok("X: smuggled\r\r\n")},
      {"BareCrInReason", "HTTP/1.1 200 O\rX: smuggled\r\n\r\n"},
      {"NulInValue", Ok("X: \0smuggled\r\n"s)},
      {"NulInName", Ok("smuggled\0: a\r\n"s)},
      {"NulInReason", "HTTP/1.1 200 smuggled\0\r\n\r\n"s},
      {"ControlInReason", "HTTP/1.1 200 smuggled\x01\r\n\r\n"},
      {"EscapeInValue", Ok("X: \x1B[0msmuggled\r\n")},
      {"DelInValue", Ok("X: \x7Fsmuggled\r\n")},
      {"Folded", Ok("X: a\r\n smuggled\r\n")},
      {"FoldedByTab", Ok("X: a\r\n\tsmuggled\r\n")},
      {"FirstFieldIndented", Ok(" X: smuggled\r\n")},
      {"SpaceBeforeColon", Ok("X : smuggled\r\n")},
      {"TabBeforeColon", Ok("X\t: smuggled\r\n")},
      {"SpaceInName", Ok("X Y: smuggled\r\n")},
      {"NoColon", Ok("smuggled\r\n")},
      {"EmptyName", Ok(": smuggled\r\n")},
      {"Brackets", Ok("X[]: smuggled\r\n")},
      {"Utf8Name", Ok("\xC3\xA4: smuggled\r\n")},
      {"Long", Ok("X: smuggled" + std::string(kHeaderSize, 'a') + "\r\n")},
      {"LongReason", "HTTP/1.1 200 smuggled" + std::string(kHeaderSize, 'a') + "\r\n\r\n"},
  });
}

TEST_F(SmugglingAnswerTest, BadStatusLinesAre502) {
  std::vector<BadAnswer> table;
  for (const std::string line : {"HTTP/0.9 200 OK",     "HTTP/1.2 200 OK",  "HTTP/2.0 200 OK",
                                 "HTTP/2 200",          "HTTP/1 200 OK",    "HTTP/1.10 200 OK",
                                 "HTTP/99.99 200 OK",   "http/1.1 200 OK",  "HTTPS/1.1 200 OK",
                                 "HTTP/1.1\t200\tOK",   "HTTP/1.1  200 OK", " HTTP/1.1 200 OK",
                                 "HTTP/1.1200 OK",      "HTTP/1.1 200OK",   "HTTP/1.1 099 OK",
                                 "HTTP/1.1 000 OK",     "HTTP/1.1 20 OK",   "HTTP/1.1 2000 OK",
                                 "HTTP/1.1 -20 OK",     "HTTP/1.1 +20 OK",  "HTTP/1.1 2x0 OK",
                                 "HTTP/1.1 abc OK",     "HTTP/1.1 OK",      "HTTP/1.1",
                                 "HTTP/1.1 ",           "ICY 200 OK",       "GET / HTTP/1.1",
                                 "SSH-2.0-OpenSSH_9.2", "200 OK",           ""}) {
    table.push_back({line, line + "\r\nX: smuggled\r\n\r\n"});
  }
  ExpectBadGateway(table);
}

TEST_F(SmugglingAnswerTest, GarbageIsA502) {
  ExpectBadGateway({
      {"Html", "<html><title>smuggled</title></html>\r\n\r\n"},
      {"Tls", "\x15\x03\x01\x02"},
      {"Nuls", "\0\0\0\0"s},
      {"WebSocketFrame", "\x81\x08smuggled\r\n\r\n"},
      {"EmptyLineFirst", "\r\n" + Ok("Content-Length: 8\r\n", "smuggled")},
      {"TwoEmptyLinesFirst", "\r\n\r\n" + Ok("Content-Length: 8\r\n", "smuggled")},
      {"ByteOrderMarkFirst", "\xEF\xBB\xBF" + Ok("Content-Length: 8\r\n", "smuggled")},
      {"BodyOfTheOneBefore", "smuggled" + Ok("Content-Length: 0\r\n")},
      {"SwitchUnasked",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: smuggled\r\n\r\n"},
      {"WebSocketUnasked", OriginLeg::Upgraded("X: smuggled\r\n")},
      {"WebSocketUnaskedWithAFrame", OriginLeg::Upgraded() + "\x81\x08smuggled"},
  });
}

TEST_F(SmugglingAnswerTest, BadUpgradesAre502) {
  const std::string line = "HTTP/1.1 101 Switching Protocols\r\n";
  const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string accept = "Sec-WebSocket-Accept: " + std::string(kSampleAccept) + "\r\n";
  const std::string end = "\r\n\x81\x08smuggled";
  ExpectBadGateway(
      {
          {"WrongAccept",
           line + upgrade + "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n" + end},
          {"AcceptInOtherCase",
           line + upgrade + "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n" + end},
          {"AcceptThatIsTheKey",
           line + upgrade + "Sec-WebSocket-Accept: " + std::string(kSampleKey) + "\r\n" + end},
          {"WrongAcceptThenAnAnswer", line + upgrade + "Sec-WebSocket-Accept: AAAA\r\n\r\n" +
                                          Ok("Content-Length: 8\r\n", "smuggled")},
          {"WrongAcceptThenARefusal",
           line + upgrade + "Sec-WebSocket-Accept: AAAA\r\n\r\n" +
               "HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nsmuggled"},
          {"WrongAcceptThenTheRightOne",
           line + upgrade + "Sec-WebSocket-Accept: AAAA\r\n\r\n" + line + upgrade + accept + end},
          {"AcceptMissing", line + upgrade + end},
          {"AcceptEmpty", line + upgrade + "Sec-WebSocket-Accept:\r\n" + end},
          {"AcceptTwice", line + upgrade + accept + accept + end},
          {"UpgradeMissing", line + "Connection: Upgrade\r\n" + accept + end},
          {"UpgradeToOther", line + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + accept + end},
          {"UpgradeList",
           line + "Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n" + accept + end},
          {"ConnectionMissing", line + "Upgrade: websocket\r\n" + accept + end},
          {"ConnectionClose", line + "Upgrade: websocket\r\nConnection: close\r\n" + accept + end},
          {"Version10", "HTTP/1.0 101 Switching Protocols\r\n" + upgrade + accept + end},
          {"Version20", "HTTP/2.0 101 Switching Protocols\r\n" + upgrade + accept + end},
          {"LengthTwice",
           line + upgrade + accept + "Content-Length: 0\r\nContent-Length: 0\r\n" + end},
          {"LengthAndChunked",
           line + upgrade + accept + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n" + end},
          {"Length", line + upgrade + accept + "Content-Length: 10\r\n" + end},
          {"Chunked", line + upgrade + accept + "Transfer-Encoding: chunked\r\n" + end},
          {"SpaceBeforeColon",
           line + upgrade + "Sec-WebSocket-Accept : " + std::string(kSampleAccept) + "\r\n" + end},
          {"Folded", line + upgrade + accept + "X: a\r\n b\r\n" + end},
          {"BareLf", line + upgrade + accept + "X: a\nY: b\r\n" + end},
          {"BareCr", line + upgrade + accept + "X: a\rb\r\n" + end},
          {"Nul", line + upgrade + accept + "X: \0\r\n"s + end},
          {"EmptyLineFirst", "\r\n" + line + upgrade + accept + end},
          {"Garbage", "\x81\x08smuggled"},
      },
      TestClient::Handshake("/ws/ann"));
}

TEST_F(SmugglingAnswerTest, BadInterimAnswersAre502) {
  // What goes before the illegal one has been passed on, so that tests of it are elsewhere.
  ExpectBadGateway({
      {"LengthTwice", "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"},
      {"BareLf", "HTTP/1.1 103 Early Hints\r\nLink: smuggled\n\r\n"},
      {"Version20", "HTTP/2.0 100 Continue\r\n\r\n"},
  });
}

TEST_F(SmugglingAnswerTest, BodyOfAnInterimAnswerDoesNotPass) {
  for (const bool split : {false, true}) {
    SCOPED_TRACE(split);
    TestClient client = guard().Connect();
    client.Send(Get(""));
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    Send(origin,
         "HTTP/1.1 103 Early Hints\r\nContent-Length: 8\r\n\r\nsmuggled" +
             Ok("Content-Length: 2\r\n", "ok"),
         split);
    // The hints may have gone on: what follows must be a 502 or nothing.
    const std::string text = client.ReadToEnd();
    EXPECT_EQ(text.find("smuggled"), std::string::npos) << text;
    EXPECT_EQ(text.find(" 200 "), std::string::npos) << text;
    EXPECT_EQ(origin.ReadToEnd(), "");
  }
}

// RFC 9110 §8.6, RFC 9112 §6.1: a client that believed the field would wait for a body, or take the
// next answer for one.
TEST_F(SmugglingAnswerTest, FramingOfAnswersWithoutABodyDoesNotPass) {
  for (const std::string status : {"103 Early Hints", "204 No Content"}) {
    for (const std::string field : {"Content-Length: 8", "Transfer-Encoding: chunked"}) {
      SCOPED_TRACE(status + ", " + field);
      TestClient client = guard().Connect();
      client.Send(Get("Connection: close\r\n"));
      OriginLeg origin = origin_.Accept();
      origin.ReadRequest();
      origin.Send("HTTP/1.1 " + status + "\r\n" + field + "\r\n\r\n" +
                  (status.starts_with("1") ? Ok("Content-Length: 2\r\n", "ok") : ""));
      origin.Finish();
      const std::string text = client.ReadToEnd();
      EXPECT_TRUE(text.starts_with("HTTP/1.1 ")) << text;
      EXPECT_EQ(text.find(field), std::string::npos) << text;
      EXPECT_EQ(origin.ReadToEnd(), "");
    }
  }
}

std::vector<BadAnswer> BadChunks() {
  std::vector<BadAnswer> table;
  const std::string head = Ok("Transfer-Encoding: chunked\r\n");
  const std::string end = "smuggled\r\n0\r\n\r\n";
  for (const auto& [name, line] : std::vector<std::pair<std::string, std::string>>{
           {"NoNumber", "x\r\n"},
           {"Empty", "\r\n"},
           {"Minus", "-8\r\n"},
           {"Plus", "+8\r\n"},
           {"Hex", "0x8\r\n"},
           {"SpaceFirst", " 8\r\n"},
           {"SpaceBehind", "8 \r\n"},
           {"BareLf", "8\n"},
           {"BareCr", "8\r"},
           {"TwoCr", "8\r\r\n"},
           {"Nul", "8\0\r\n"s},
           {"Over64Bits", "10000000000000008\r\n"},
           {"ControlInExtension", "8;a=\x01\r\n"},
           {"BareLfInExtension", "8;a\nb\r\n"},
           {"QuoteOpen", "8;a=\"b\r\n"},
           {"LongExtension", "8;a=" + std::string(2 * kHeaderSize, 'b') + "\r\n"}}) {
    table.push_back({name, head + line + end, ""});
    table.push_back({name + ", second", head + "2\r\nok\r\n" + line + end, "2\r\nok\r\n"});
  }
  const std::string sound = "2\r\nok\r\n";
  table.push_back({"DataTooLong", head + "2\r\nok!\r\n" + end, "2\r\nok"});
  table.push_back({"DataTooShort", head + "4\r\nok\r\n" + end, "4\r\nok\r\n"});
  table.push_back({"NoLineEnd", head + "2\r\nok8\r\n" + end, "2\r\nok"});
  table.push_back({"BareLfBehindData", head + "2\r\nok\n8\r\n" + end, "2\r\nok"});
  table.push_back({"BareLfAtTheEnd", head + sound + "0\r\n\nsmuggled\r\n\r\n", sound});
  table.push_back({"BareLfBehindTheLast", head + sound + "0\n\r\n", sound});
  table.push_back({"AnswerForTheEnd", head + sound + "0\r\n" + Ok("X: smuggled\r\n"), sound});
  table.push_back({"TrailerSpaceBeforeColon", head + sound + "0\r\nX : smuggled\r\n\r\n", sound});
  table.push_back({"TrailerFolded", head + sound + "0\r\nX: a\r\n smuggled\r\n\r\n", sound});
  table.push_back({"TrailerBareLf", head + sound + "0\r\nX: a\nsmuggled: b\r\n\r\n", sound});
  table.push_back({"TrailerNul", head + sound + "0\r\nX: smuggled\0\r\n\r\n"s, sound});
  table.push_back({"TrailerLength", head + sound + "0\r\nContent-Length: 8\r\n\r\n", sound});
  table.push_back({"TrailerCoding", head + sound + "0\r\nTransfer-Encoding: x\r\n\r\n", sound});
  return table;
}

TEST_F(SmugglingAnswerTest, BadChunksCutTheAnswer) { ExpectCutShort(BadChunks(), Get("")); }

TEST_F(SmugglingAnswerTest, BadChunksCutTheAnswerToAnOldClient) {
  ExpectCutShort(BadChunks(), Ask("GET / HTTP/1.0"), true);
}

TEST_F(SmugglingAnswerTest, BadChunksCutTheRefusalOfAHandshake) {
  ExpectCutShort(BadChunks(), TestClient::Handshake("/other"));
  const Stopwatch watch;
  guard().AwaitMetric("connguard_connections", "", 0);
  EXPECT_LT(watch.elapsed(), std::chrono::seconds(2))
      << "clients that are gone are still waited for";
}

}  // namespace
}  // namespace connguard::testing
