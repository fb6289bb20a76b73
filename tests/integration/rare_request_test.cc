// Requests of forms that are rare, but legal: they pass, and mean the same to the origin.
#include "smuggling.h"

namespace connguard::testing {
namespace {

using namespace std::string_literals;

struct RareRequest {
  std::string name;
  std::string bytes;
  // At the origin.
  std::string line;
  std::vector<std::string> fields = {};  // lines that must be there
  std::vector<std::string> gone = {};    // texts that must not be in the head
  std::string body = {};
};

std::string Post(std::string_view fields, std::string_view body) {
  return Ask("POST / HTTP/1.1", fields, body);
}

class RareRequestTest : public SmugglingTest {
 protected:
  // The origin ends its connection with every answer, so that each case has one of its own.
  void ExpectPassed(const std::vector<RareRequest>& table) {
    ForEach<RareRequest>(table, [this](const RareRequest& rare, bool split) {
      TestClient client = guard().Connect();
      Send(client, rare.bytes, split);
      OriginLeg origin = origin_.Accept();
      const std::string head = origin.ReadRequest();
      EXPECT_EQ(head.substr(0, head.find("\r\n")), rare.line);
      for (const std::string& field : rare.fields) {
        EXPECT_NE(head.find("\r\n" + field + "\r\n"), std::string::npos) << head;
      }
      for (const std::string& text : rare.gone) {
        EXPECT_EQ(head.find(text), std::string::npos) << head;
      }
      EXPECT_EQ(origin.Read(rare.body.size()), rare.body);
      origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
      origin.Finish();
      client.ExpectStatus(200);
      EXPECT_EQ(client.Read(2), "ok");
      EXPECT_EQ(origin.ReadToEnd(), "");
    });
  }

  // Bodies pass as they came, chunk framing and all.
  void ExpectBodiesPassed(const std::vector<std::pair<std::string, std::string>>& bodies) {
    std::vector<RareRequest> table;
    for (const auto& [name, body] : bodies) {
      table.push_back({.name = name,
                       .bytes = Post("Transfer-Encoding: chunked\r\n", body),
                       .line = "POST / HTTP/1.1",
                       .fields = {"Transfer-Encoding: chunked"},
                       .body = body});
    }
    ExpectPassed(table);
  }
};

TEST_F(RareRequestTest, TargetsPass) {
  std::vector<RareRequest> table;
  for (const std::string target :
       {"//double//slash", "/a/../b/./c", "/%2e%2e%2f%00%0d%0a", "/?a?b/c", "/?", "/a;b=c,d",
        "/?url=http://other.example/", "/%zz", "/~'()*!$&+=:@"}) {
    const std::string line = "GET " + target + " HTTP/1.1";
    table.push_back({.name = target, .bytes = Ask(line), .line = line});
  }
  table.push_back({"OptionsStar", Ask("OPTIONS * HTTP/1.1"), "OPTIONS * HTTP/1.1"});
  ExpectPassed(table);
}

// RFC 9112 §3.2.2: its authority counts, whatever Host says.
TEST_F(RareRequestTest, AbsoluteTargetsBecomePaths) {
  struct Absolute {
    std::string target, path, host;
  };
  std::vector<RareRequest> table;
  for (const auto& [target, path, host] : std::vector<Absolute>{
           {"http://other.example/x?y=z", "/x?y=z", "other.example"},
           {"http://other.example", "/", "other.example"},
           {"http://other.example/", "/", "other.example"},
           {"http://other.example?q", "/?q", "other.example"},
           {"http://other.example:8080/x", "/x", "other.example:8080"},
           {"http://other.example?q@guard.example/", "/?q@guard.example/", "other.example"},
           {"HTTP://OTHER.example/", "/", "OTHER.example"},
           {"https://other.example/x", "/x", "other.example"},
           {"http://[2001:db8::1]:80/x", "/x", "[2001:db8::1]:80"},
           {"http://guard.example//other.example/", "//other.example/", "guard.example"}}) {
    table.push_back({.name = target,
                     .bytes = Ask("GET " + target + " HTTP/1.1"),
                     .line = "GET " + path + " HTTP/1.1",
                     .fields = {"Host: " + host},
                     .gone = host == "guard.example"
                                 ? std::vector<std::string>{}
                                 : std::vector<std::string>{"Host: guard.example"}});
  }
  table.push_back({.name = "Options",
                   .bytes = Ask("OPTIONS http://other.example HTTP/1.1"),
                   .line = "OPTIONS * HTTP/1.1",
                   .fields = {"Host: other.example"},
                   .gone = {"Host: guard.example"}});
  ExpectPassed(table);
}

TEST_F(RareRequestTest, MethodsPass) {
  std::vector<RareRequest> table;
  for (const std::string method :
       {"M-SEARCH", "PROPFIND", "BREW", "get", "X", "!#$%&'*+-.^_`|~0aZ"}) {
    const std::string line = method + " / HTTP/1.1";
    table.push_back({.name = method, .bytes = Ask(line), .line = line});
  }
  ExpectPassed(table);
}

TEST_F(RareRequestTest, HostsPass) {
  std::vector<RareRequest> table;
  for (const std::string host : {"[::1]", "[::1]:8080", "127.0.0.1:80", "a.b.",
                                 "A-1_x.example:", "localhost", "xn--bcher-kva.example"}) {
    table.push_back({.name = host,
                     .bytes = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
                     .line = "GET / HTTP/1.1",
                     .fields = {"Host: " + host}});
  }
  table.push_back({.name = "NoSpace",
                   .bytes = "GET / HTTP/1.1\r\nHost:a\r\n\r\n",
                   .line = "GET / HTTP/1.1",
                   .fields = {"Host: a"}});
  table.push_back({.name = "Tabs",
                   .bytes = "GET / HTTP/1.1\r\nHost:\ta \t\r\n\r\n",
                   .line = "GET / HTTP/1.1",
                   .fields = {"Host: a"}});
  ExpectPassed(table);
}

TEST_F(RareRequestTest, FieldsPass) {
  const std::string line = "GET / HTTP/1.1";
  ExpectPassed({
      {"EmptyValue", Get("X-Empty:\r\n"), line, {"X-Empty: "}},
      {"BlankValue", Get("X-Blank: \t \r\n"), line, {"X-Blank: "}},
      {"NoSpace", Get("X:a\r\n"), line, {"X: a"}},
      {"OddCase", Get("x-oDD: A\r\nX-Odd: b\r\n"), line, {"x-oDD: A\r\nX-Odd: b"}},
      {"Duplicates", Get("X: a\r\nY: c\r\nX: a\r\n"), line, {"X: a\r\nY: c\r\nX: a"}},
      {"TabInside", Get("X: a\tb\r\n"), line, {"X: a\tb"}},
      {"ObsText", Get("X: \x80\xA0\xFF\r\n"), line, {"X: \x80\xA0\xFF"}},
      {"Utf8", Get("X: \xC3\xA4\r\n"), line, {"X: \xC3\xA4"}},
      {"ColonFirst", Get("X::a\r\n"), line, {"X: :a"}},
      {"AllTokenCharacters", Get("!#$%&'*+-.^_`|~0aZ: a\r\n"), line, {"!#$%&'*+-.^_`|~0aZ: a"}},
      {"QuotedComma", Get("Accept: a;b=\",\"\r\n"), line, {"Accept: a;b=\",\""}},
  });
}

TEST_F(RareRequestTest, RequestsBehindAnEmptyLinePass) {
  ExpectPassed({
      {"Get", "\r\n" + Get(""), "GET / HTTP/1.1"},
      {.name = "Post",
       .bytes = "\r\n" + Post("Content-Length: 3\r\n", "abc"),
       .line = "POST / HTTP/1.1",
       .body = "abc"},
  });
}

TEST_F(RareRequestTest, OldRequestsPass) {
  for (const bool host : {false, true}) {
    SCOPED_TRACE(host);
    TestClient client = guard().Connect();
    client.Send("POST /old HTTP/1.0\r\n"s + (host ? "Host: h\r\n" : "") +
                "Content-Length: 3\r\n\r\nabc");
    OriginLeg origin = origin_.Accept();
    const std::string head = origin.ReadRequest();
    EXPECT_TRUE(head.starts_with("POST /old HTTP/1.")) << head;
    EXPECT_EQ(head.find("\r\nHost: h\r\n") != std::string::npos, host) << head;
    EXPECT_EQ(origin.Read(3), "abc");
    origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    origin.Finish();
    client.ExpectStatus(200);
    EXPECT_EQ(client.ReadToEnd(), "ok");
  }
}

TEST_F(RareRequestTest, LengthsPass) {
  const std::string line = "POST / HTTP/1.1";
  ExpectPassed({
      {"LeadingZeros", Post("Content-Length: 0003\r\n", "abc"), line, {}, {}, "abc"},
      {"Tabs", Post("Content-Length:\t3\t\r\n", "abc"), line, {"Content-Length: 3"}, {}, "abc"},
      {"OddCase", Post("cONTENT-lENGTH: 3\r\n", "abc"), line, {}, {}, "abc"},
      {"Zero", Post("Content-Length: 0\r\n", ""), line, {"Content-Length: 0"}},
      {"GetWithBody",
       Ask("GET / HTTP/1.1", "Content-Length: 3\r\n", "abc"),
       "GET / HTTP/1.1",
       {"Content-Length: 3"},
       {},
       "abc"},
      // names that only look like the ones that matter
      {"UnderscoreCoding",
       Post("Content-Length: 3\r\nTransfer_Encoding: chunked\r\n", "abc"),
       line,
       {"Content-Length: 3"},
       {"\r\nTransfer-Encoding"},
       "abc"},
      {"UnderscoreCodingAlone",
       Ask(line, "Transfer_Encoding: chunked\r\n"),
       line,
       {},
       {"\r\nTransfer-Encoding"}},
      // Connection cannot take away what says where the message ends and whom it is for
      {"ConnectionNamesLength",
       Post("Connection: close, Content-Length\r\nContent-Length: 3\r\n", "abc"),
       line,
       {"Content-Length: 3"},
       {},
       "abc"},
      {"ConnectionNamesCoding",
       Post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       line,
       {"Transfer-Encoding: chunked"},
       {},
       "0\r\n\r\n"},
      {"ConnectionNamesHost",
       Post("Connection: Host\r\nContent-Length: 3\r\n", "abc"),
       line,
       {"Host: guard.example"},
       {},
       "abc"},
  });
}

TEST_F(RareRequestTest, CodingsPass) {
  const std::string line = "POST / HTTP/1.1";
  const std::string body = "3\r\nabc\r\n0\r\n\r\n";
  ExpectPassed({
      {"OddCase",
       Post("tRANSFER-eNCODING: CHUNKed\r\n", body),
       line,
       {"tRANSFER-eNCODING: CHUNKed"},
       {},
       body},
      // white space around the value is legal, and does not go on
      {"TabThenSpace",
       Post("Transfer-Encoding:\t chunked\r\n", body),
       line,
       {"Transfer-Encoding: chunked"},
       {},
       body},
      {"TabBehind",
       Post("Transfer-Encoding:chunked \t\r\n", body),
       line,
       {"Transfer-Encoding: chunked"},
       {},
       body},
  });
}

TEST_F(RareRequestTest, ChunksPass) {
  ExpectBodiesPassed({
      {"Extension", "3;a=b\r\nabc\r\n0\r\n\r\n"},
      {"ExtensionWithoutValue", "3;a\r\nabc\r\n0\r\n\r\n"},
      {"Extensions", "3;a=b;c;d=e\r\nabc\r\n0\r\n\r\n"},
      {"QuotedExtension", "3;a=\"b; c\\\"d\"\r\nabc\r\n0\r\n\r\n"},
      {"ExtensionOfTheLast", "3\r\nabc\r\n0;a=b\r\n\r\n"},
      {"LeadingZeros", "0003\r\nabc\r\n0\r\n\r\n"},
      {"LastOfManyZeros", "3\r\nabc\r\n0000\r\n\r\n"},
      {"LowerCaseSize", "a\r\n0123456789\r\n0\r\n\r\n"},
      {"UpperCaseSize", "A\r\n0123456789\r\n0\r\n\r\n"},
      {"OnlyTheLast", "0\r\n\r\n"},
      {"LineEndsAsData", "4\r\n\r\n\r\n\r\n0\r\n\r\n"},
      {"EndAsData", "5\r\n0\r\n\r\n\r\n0\r\n\r\n"},
      {"RequestAsData", "19\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n0\r\n\r\n"},
      {"ByteByByte", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"},
      {"Trailer", "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"},
      {"Trailers", "3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-odd:\r\nX-Sum: 2\r\n\r\n"},
      {"TrailerBehindExtension", "3;a\r\nabc\r\n0;b\r\nX-Sum: 1\r\n\r\n"},
  });
}

// An upgrade that is not to a WebSocket is not for the origin to accept.
TEST_F(RareRequestTest, OtherUpgradesArePlainRequests) {
  const std::string line = "GET / HTTP/1.1";
  ExpectPassed({
      {"H2c",
       Get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
       line,
       {},
       {"h2c", "HTTP2-Settings"}},
      {"H2cWithBody",
       Post("Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n", "abc"),
       "POST / HTTP/1.1",
       {"Content-Length: 3"},
       {"h2c"},
       "abc"},
      {"Tls", Get("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"), line, {}, {"TLS"}},
      {"WebSocketNotInConnection", Get("Upgrade: websocket\r\n"), line, {}, {"websocket"}},
  });
}

TEST_F(RareRequestTest, HandshakesInOddFormsAreUpgraded) {
  const std::string key = "\r\nSEC-websocket-KEY: " + std::string(kSampleKey) + "\r\n\r\n";
  for (const std::string& head :
       {"GET /ws/ann HTTP/1.1\r\nhost: h\r\nUPGRADE: WebSocket\r\nconnection: UPGRADE\r\n"
        "sec-websocket-version: 13" +
            key,
        "GET /ws/ann HTTP/1.1\r\nHost:h\r\nUpgrade:websocket\r\nConnection:keep-alive,\tUpgrade\r\n"
        "Sec-WebSocket-Version:\t13" +
            key,
        "GET ws://h/ws/ann HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13" +
            key,
        "\r\nGET /ws/ann HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Content-Length: 0\r\nSec-WebSocket-Version: 13" +
            key}) {
    for (const bool split : {false, true}) {
      SCOPED_TRACE(head);
      TestClient client = guard().Connect();
      Send(client, head, split);
      OriginLeg origin = origin_.Accept();
      EXPECT_TRUE(origin.Upgrade().starts_with("GET /ws/ann HTTP/1.1\r\n"));
      client.ExpectStatus(101);
      client.Reset();
      EXPECT_EQ(origin.ReadClose(), 1001);
      origin.SendClose(1001);
      EXPECT_EQ(origin.ReadToEnd(), "");
    }
  }
}

}  // namespace
}  // namespace connguard::testing
