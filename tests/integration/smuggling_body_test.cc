// Bodies whose chunks are illegal: their head may have gone upstream, they must not look whole.
#include "smuggling.h"

namespace connguard::testing {
namespace {

using namespace std::string_literals;

struct BadBody {
  std::string name;
  std::string sound;    // all that may reach the origin
  std::string illegal;  // begins with the chunk header, line end or trailer that is illegal
};

class SmugglingBodyTest : public SmugglingTest {
 protected:
  // The bytes in front of it are a chunk, or none.
  void ExpectBadChunkHeaders(const std::vector<std::pair<std::string, std::string>>& lines) {
    std::vector<BadBody> table;
    for (const auto& [name, line] : lines) {
      table.push_back({name, "", line + "hello\r\n0\r\n\r\n"});
      table.push_back({name + ", second", "3\r\nabc\r\n", line + "hello\r\n0\r\n\r\n"});
    }
    ExpectCutShort(table);
  }

  void ExpectCutShort(const std::vector<BadBody>& table) {
    ForEach<BadBody>(table, [this](const BadBody& bad, bool split) {
      TestClient client = guard().Connect();
      const std::string head = Ask("POST /bad HTTP/1.1", "Transfer-Encoding: chunked\r\n");
      Send(client, head + bad.sound + bad.illegal + std::string(kSmuggled), split);
      ExpectProblem(client, 400);
      const std::vector<std::string> seen = watch_.Probe(guard().Connect());
      EXPECT_LE(seen.size(), 1U);
      for (const std::string& text : seen) ExpectUnfinished(text, bad.sound);
    });
  }

 private:
  // What the origin has read of the request, up to the end of its connection.
  static void ExpectUnfinished(const std::string& text, const std::string& sound) {
    EXPECT_TRUE(text.starts_with("POST /bad HTTP/1.1\r\n")) << text;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string body = text.substr(end + 4);
    EXPECT_TRUE(sound.starts_with(body)) << text;
    EXPECT_FALSE(body.ends_with("0\r\n\r\n")) << text;
  }
};

TEST_F(SmugglingBodyTest, BadSizesAreRefused) {
  ExpectBadChunkHeaders({
      {"NoNumber", "x\r\n"},
      {"Empty", "\r\n"},
      {"Minus", "-5\r\n"},
      {"MinusOne", "-1\r\n"},
      {"MinusZero", "-0\r\n"},
      {"Plus", "+5\r\n"},
      {"Hex", "0x5\r\n"},
      {"HexInUpperCase", "0X5\r\n"},
      {"HexSuffix", "5h\r\n"},
      {"SpaceFirst", " 5\r\n"},
      {"TabFirst", "\t5\r\n"},
      {"SpaceBehind", "5 \r\n"},
      {"TabBehind", "5\t\r\n"},
      {"TwoNumbers", "5 5\r\n"},
      {"Comma", "5,\r\n"},
      {"Fraction", "5.0\r\n"},
      {"Underscore", "0_5\r\n"},
      {"Quoted", "\"5\"\r\n"},
      {"WideDigit", "\xEF\xBC\x95\r\n"},
      {"NoBreakSpace", "5\xA0\r\n"},
      {"Over64Bits", "10000000000000005\r\n"},
      {"FarOver64Bits", "FFFFFFFFFFFFFFFFF5\r\n"},
      {"ZerosThenOver64Bits", "0010000000000000005\r\n"},
      {"Nul", "5\0\r\n"s},
      {"NulFirst", "\0005\r\n"s},
      {"VerticalTab", "5\v\r\n"},
      {"Del", "5\x7F\r\n"},
      {"BareLf", "5\n"},
      {"BareCr", "5\r"},
      {"TwoCr", "5\r\r\n"},
      {"LfFirst", "\n5\r\n"},
      {"CrLfFirst", "\r\n5\r\n"},
      {"LfCr", "5\n\r"},
  });
}

TEST_F(SmugglingBodyTest, BadExtensionsAreRefused) {
  ExpectBadChunkHeaders({
      {"Control", "5;a=\x01\r\n"},
      {"ControlInName", "5;\x01\r\n"},
      {"Nul", "5;a=\0\r\n"s},
      {"Escape", "5;a=\"\x1B[0m\"\r\n"},
      {"Del", "5;a=\x7F\r\n"},
      {"VerticalTab", "5;\va\r\n"},
      {"BareLf", "5;a\n"},
      {"BareLfInside", "5;a\nb\r\n"},
      {"BareLfInQuotes", "5;a=\"\n\"\r\n"},
      {"BareCr", "5;a\rb\r\n"},
      {"BareCrInQuotes", "5;a=\"\r\"\r\n"},
      {"CrLfInQuotes", "5;a=\"\r\n\"\r\n"},
      {"TwoCr", "5;a\r\r\n"},
      {"NoName", "5;\r\n"},
      {"NoNameButValue", "5;=a\r\n"},
      {"NoValue", "5;a=\r\n"},
      {"QuoteOpen", "5;a=\"b\r\n"},
      {"QuoteOpenOfTheLast", "0;a=\"b\r\n\r\n"},
      {"QuoteThenMore", "5;a=\"b\"c\r\n"},
      {"QuotedLineEnd", "5;a=\"\\\r\n\"\r\n"},
      {"TwoWords", "5;a b\r\n"},
      {"NoSemicolon", "5 a=b\r\n"},
      {"Long", "5;a=" + std::string(2 * kHeaderSize, 'b') + "\r\n"},
  });
}

TEST_F(SmugglingBodyTest, DataOfAnotherSizeIsRefused) {
  const std::string behind = "\r\n0\r\n\r\n";
  ExpectCutShort({
      {"TooLong", "5\r\nhello", "o" + behind},
      {"TooShort", "5\r\nhell\r", "\n0\r\n\r\n"},
      {"NoLineEnd", "5\r\nhello", "0\r\n\r\n"},
      {"NextSizeAtOnce", "5\r\nhello", "5\r\nhello" + behind},
      {"SpaceForLineEnd", "5\r\nhello", " \r\n0\r\n\r\n"},
      {"BareLf", "5\r\nhello", "\n0\r\n\r\n"},
      {"BareCr", "5\r\nhello", "\r0\r\n\r\n"},
      {"LfCr", "5\r\nhello", "\n\r0\r\n\r\n"},
      {"TwoCr", "5\r\nhello", "\r\r\n0\r\n\r\n"},
      {"TwoLineEnds", "5\r\nhello", "\r\n\r\n0\r\n\r\n"},
      {"FoldedExtension", "5;a=b\r\n c=d\r", "\nhello\r\n0\r\n\r\n"},  // data, and too long
      {"SemicolonForLineEnd", "5\r\nhello", ";a\r\n0\r\n\r\n"},
  });
}

TEST_F(SmugglingBodyTest, BadEndsAreRefused) {
  ExpectCutShort({
      {"BareLfs", "3\r\nabc\r\n", "0\n\n"},
      {"BareLfBehindSize", "3\r\nabc\r\n", "0\n\r\n"},
      {"BareLfAtTheEnd", "3\r\nabc\r\n", "0\r\n\n"},
      {"BareLfAtTheEndAndMore", "3\r\nabc\r\n", "0\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"BareCrBehindSize", "3\r\nabc\r\n", "0\r\r\n\r\n"},
      {"BareCrAtTheEnd", "3\r\nabc\r\n", "0\r\n\r\r\n"},
      {"BareCrAtTheEndAndMore", "3\r\nabc\r\n", "0\r\n\rX\r\n\r\n"},
      {"SpaceAtTheEnd", "3\r\nabc\r\n", "0\r\n \r\n\r\n"},
      {"NextRequestForTheEnd", "3\r\nabc\r\n", "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"AnotherChunkForTheEnd", "3\r\nabc\r\n", "0\r\n5\r\nhello\r\n0\r\n\r\n"},
      {"LongZero", "3\r\nabc\r\n", std::string(2 * kHeaderSize, '0') + "\r\n\r\n"},
  });
}

TEST_F(SmugglingBodyTest, BadTrailersAreRefused) {
  std::vector<BadBody> table;
  const std::vector<std::pair<std::string, std::string>> trailers = {
      {"SpaceBeforeColon", "X : a\r\n"},
      {"SpaceInName", "X Y: a\r\n"},
      {"NoColon", "X\r\n"},
      {"EmptyName", ": a\r\n"},
      {"Brackets", "X[]: a\r\n"},
      {"Utf8Name", "\xC3\xA4: a\r\n"},
      {"Folded", "X: a\r\n b\r\n"},
      {"Indented", " X: a\r\n"},
      {"BareLf", "X: a\nY: b\r\n"},
      {"BareLfEnd", "X: a\n"},
      {"BareCr", "X: a\rb\r\n"},
      {"TwoCr", "X: a\r\r\n"},
      {"Nul", "X: a\0b\r\n"s},
      {"NulInName", "X\0: a\r\n"s},
      {"Escape", "X: \x1B[0m\r\n"},
      {"SecondBad", "X: a\r\nY : b\r\n"},
      {"Long", "X: " + std::string(2 * kHeaderSize, 'a') + "\r\n"},
      // fields that say where a message ends or whom it is for (RFC 9110 §6.5.1)
      {"Length", "Content-Length: 5\r\n"},
      {"Coding", "Transfer-Encoding: chunked\r\n"},
      {"CodingInOtherCase", "X: a\r\ntransfer-ENCODING: identity\r\n"},
      {"Host", "Host: other.example\r\n"},
  };
  for (const auto& [name, trailer] : trailers) {
    table.push_back({name, "3\r\nabc\r\n", "0\r\n" + trailer + "\r\n"});
  }
  ExpectCutShort(table);
}

TEST_F(SmugglingBodyTest, BadChunkDuringTheAnswerResetsTheClient) {
  for (const bool split : {false, true}) {
    SCOPED_TRACE(split);
    TestClient client = guard().Connect();
    client.Send(Ask("POST /bad HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n");
    OriginLeg origin = origin_.Accept();
    origin.ReadThrough("3\r\nabc");
    origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    client.ExpectStatus(200);
    EXPECT_EQ(client.Read(4), "half");
    Send(client, "ZZ\r\n", split);
    PeerEnd end = PeerEnd::kFin;
    EXPECT_EQ(client.ReadToEnd(&end), "");
    EXPECT_EQ(end, PeerEnd::kReset);
    EXPECT_TRUE("\r\n"s.starts_with(origin.ReadToEnd()));
  }
}

// The origin has answered without waiting for the body's end: what comes later is still body.
TEST_F(SmugglingBodyTest, RestOfABodyBehindItsAnswerIsNoRequest) {
  for (const bool split : {false, true}) {
    for (const std::string& head :
         {Ask("POST /bad HTTP/1.1", "Content-Length: 1000\r\n"),
          Ask("POST /bad HTTP/1.1", "Content-Length: 1000\r\nExpect: 100-continue\r\n"),
          Ask("POST /bad HTTP/1.1", "Transfer-Encoding: chunked\r\n")}) {
      SCOPED_TRACE(head);
      watch_.Close();
      TestClient client = guard().Connect();
      client.Send(head);
      OriginLeg origin = origin_.Accept();
      origin.ReadRequest();
      origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      const Answer answer = client.ExpectStatus(200);
      EXPECT_EQ(answer.Value("Connection"), "close");
      Send(client, kSmuggled, split);
      PeerEnd end = PeerEnd::kReset;
      EXPECT_EQ(client.ReadToEnd(&end), "ok");
      EXPECT_EQ(end, PeerEnd::kFin);
      EXPECT_EQ(origin.ReadToEnd(), "");
      EXPECT_EQ(watch_.Probe(guard().Connect()), std::vector<std::string>{});
    }
  }
}

}  // namespace
}  // namespace connguard::testing
