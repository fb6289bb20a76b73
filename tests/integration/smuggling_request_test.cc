// Request lines and fields that are illegal, or that not every reader takes for the same.
#include "smuggling.h"

namespace connguard::testing {
namespace {

using namespace std::string_literals;

using SmugglingRequestTest = SmugglingTest;

TEST_F(SmugglingRequestTest, BareLineEndsAreRefused) {
  ExpectRefused({
      {"LfAfterRequestLine", 400, "GET / HTTP/1.1\nHost: guard.example\r\n\r\n"},
      {"LfAfterField", 400, Get("X: a\n")},
      {"OnlyLf", 400, "GET / HTTP/1.1\nHost: guard.example\n\n"},
      {"LfAtTheEnd", 400, Get("\n")},
      {"LfThenCrLfAtTheEnd", 400, "GET / HTTP/1.1\r\nHost: guard.example\n\r\n"},
      {"LfInValue", 400, Get("X: a\nb\r\n")},
      {"LfInName", 400, Get("X\nY: a\r\n")},
      {"LfInMethod", 400, Ask("GE\nT / HTTP/1.1")},
      {"LfInTarget", 400, Ask("GET /\n HTTP/1.1")},
      {"LfInVersion", 400, Ask("GET / HTTP/1.1\n")},
      {"LfFirst", 400, "\n" + Get("")},
      {"CrAfterRequestLine", 400, "GET / HTTP/1.1\rHost: guard.example\r\n\r\n"},
      {"CrInValue", 400, Get("X: a\rb\r\n")},
      {"CrInName", 400, Get("X\rY: a\r\n")},
      {"CrBeforeColon", 400, Get("X\r: a\r\n")},
      {"CrInMethod", 400, Ask("GE\rT / HTTP/1.1")},
      {"CrInTarget", 400, Ask("GET /\ra HTTP/1.1")},
      {"CrForSpace", 400, Ask("GET\r/ HTTP/1.1")},
      {"CrInVersion", 400, Ask("GET / HTTP/\r1.1")},
      {"CrBeforeCrLf", 400, Get("X: a\r\r\n")},
      {"CrOnlyInLine", 400, Get("\r\r\n")},
      {"CrCrAtTheEnd", 400, Get("\r\r")},
      {"CrFirst", 400, "\r" + Get("")},
      {"LfCr", 400, Get("X: a\n\r")},
  });
}

TEST_F(SmugglingRequestTest, FoldsAndIndentsAreRefused) {
  ExpectRefused({
      {"FoldedBySpace", 400, Get("X: a\r\n b\r\n")},
      {"FoldedByTab", 400, Get("X: a\r\n\tb\r\n")},
      {"FoldedEmpty", 400, Get("X: a\r\n \r\n")},
      {"FoldedHost", 400, "GET / HTTP/1.1\r\nHost:\r\n guard.example\r\n\r\n"},
      {"FoldedHostGoesOn", 400, "GET / HTTP/1.1\r\nHost: guard.example\r\n .evil\r\n\r\n"},
      {"FirstFieldIndented", 400, "GET / HTTP/1.1\r\n Host: guard.example\r\n\r\n"},
      {"FirstLineOnlySpace", 400, "GET / HTTP/1.1\r\n \r\nHost: guard.example\r\n\r\n"},
      {"LastLineOnlyTab", 400, Get("\t\r\n")},
  });
}

TEST_F(SmugglingRequestTest, ControlCharactersAreRefused) {
  ExpectRefused({
      {"NulInMethod", 400, Ask("GE\0T / HTTP/1.1"s)},
      {"NulInTarget", 400, Ask("GET /a\0b HTTP/1.1"s)},
      {"NulInVersion", 400, Ask("GET / HTTP/1.1\0"s)},
      {"NulInName", 400, Get("X\0: a\r\n"s)},
      {"NulInValue", 400, Get("X: a\0b\r\n"s)},
      {"NulOnly", 400, Get("X: \0\r\n"s)},
      {"NulInHost", 400, "GET / HTTP/1.1\r\nHost: guard\0.example\r\n\r\n"s},
      {"NulFirst", 400, "\0"s + Get("")},
      {"OneInTarget", 400, Ask("GET /\x01 HTTP/1.1")},
      {"BackspaceInName", 400, Get("X\bY: a\r\n")},
      {"BellInValue", 400, Get("X: \a\r\n")},
      {"VerticalTabInValue", 400, Get("X: a\vb\r\n")},
      {"VerticalTabInTarget", 400, Ask("GET /\v HTTP/1.1")},
      {"FormFeedInValue", 400, Get("X: \f\r\n")},
      {"FormFeedForSpace", 400, Ask("GET\f/ HTTP/1.1")},
      {"EscapeInValue", 400, Get("X: \x1B[2J\r\n")},
      {"DelInTarget", 400, Ask("GET /\x7F HTTP/1.1")},
      {"DelInName", 400, Get("X\x7F: a\r\n")},
      {"DelInValue", 400, Get("X: \x7F\r\n")},
  });
}

TEST_F(SmugglingRequestTest, BadFieldsAreRefused) {
  ExpectRefused({
      {"SpaceBeforeColon", 400, Get("X : a\r\n")},
      {"TabBeforeColon", 400, Get("X\t: a\r\n")},
      {"SpaceInName", 400, Get("X Y: a\r\n")},
      {"NoColon", 400, Get("X\r\n")},
      {"EmptyName", 400, Get(": a\r\n")},
      {"OnlyColon", 400, Get(":\r\n")},
      {"Brackets", 400, Get("X[]: a\r\n")},
      {"Parentheses", 400, Get("X(y): a\r\n")},
      {"Quotes", 400, Get("\"X\": a\r\n")},
      {"Slash", 400, Get("X/Y: a\r\n")},
      {"At", 400, Get("X@Y: a\r\n")},
      {"Backslash", 400, Get("X\\Y: a\r\n")},
      {"Equals", 400, Get("X=a\r\n")},
      {"Comma", 400, Get("X,Y: a\r\n")},
      {"Utf8Name", 400, Get("\xC3\xA4: a\r\n")},
      {"ObsTextName", 400, Get("X\x80: a\r\n")},
      {"RequestLineTwice", 400, Ask("GET / HTTP/1.1\r\nGET /two HTTP/1.1")},
      {"ConnectionNotAList", 400, Get("Connection: a b\r\n")},
  });
}

TEST_F(SmugglingRequestTest, BadHostsAreRefused) {
  std::vector<BadRequest> table = {
      {"Missing", 400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"},
      {"NoFields", 400, "GET / HTTP/1.1\r\n\r\n"},
      {"MissingBesideAbsoluteTarget", 400, "GET http://guard.example/ HTTP/1.1\r\n\r\n"},
      {"Twice", 400, Get("Host: guard.example\r\n")},
      {"TwoDifferent", 400, Get("Host: other.example\r\n")},
      {"TwiceInOtherCase", 400, Get("hOST: guard.example\r\n")},
      {"TwiceApart", 400, Get("X: y\r\nHost: guard.example\r\n")},
      {"AndAnEmptyOne", 400, Get("Host:\r\n")},
      {"TwiceIn10", 400, Ask("GET / HTTP/1.0", "Host: guard.example\r\n")},
      {"TwiceWithAbsoluteTarget", 400,
       Ask("GET http://guard.example/ HTTP/1.1", "Host: guard.example\r\n")},
      {"SpaceBeforeColon", 400, "GET / HTTP/1.1\r\nHost : guard.example\r\n\r\n"},
  };
  const std::vector<std::pair<std::string, std::string>> hosts = {
      {"Empty", ""},
      {"Path", "a/b"},
      {"Query", "a?b"},
      {"Fragment", "a#b"},
      {"UserInfo", "u@a"},
      {"UserAndPassword", "u:p@a"},
      {"List", "a, b"},
      {"ListWithoutSpace", "a,b"},
      {"TwoWords", "a b"},
      {"TabInside", "a\tb"},
      {"Url", "http://a"},
      {"OnlyPort", ":80"},
      {"TwoPorts", "a:80:80"},
      {"PortNotANumber", "a:8o"},
      {"PortNegative", "a:-1"},
      {"PortOfSixDigits", "a:000080"},
      {"PortWithSpace", "a: 80"},
      {"BracketOpen", "[::1"},
      {"BracketClosed", "::1]"},
      {"BracketsEmpty", "[]"},
      {"BracketsThenText", "[::1]a"},
      {"Ipv6WithoutBrackets", "::1"},
      {"Quoted", "\"a\""},
      {"AngleBrackets", "<a>"},
      {"Backslash", "a\\b"},
      {"Pipe", "a|b"},
      {"Utf8", "\xC3\xA4"},
  };
  for (const auto& [name, host] : hosts) {
    table.push_back({name, 400, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"});
  }
  ExpectRefused(table);
}

TEST_F(SmugglingRequestTest, BadRequestLinesAreRefused) {
  ExpectRefused({
      {"NoTarget", 400, Ask("GET HTTP/1.1")},
      {"NoTargetButSpaces", 400, Ask("GET  HTTP/1.1")},
      {"OnlyMethod", 400, Ask("GET")},
      {"OnlyTarget", 400, Ask("/")},
      {"OnlyVersion", 400, Ask("HTTP/1.1")},
      {"EmptyMethod", 400, Ask(" / HTTP/1.1")},
      {"NoMethod", 400, Ask("/ HTTP/1.1")},
      {"TwoSpacesBeforeTarget", 400, Ask("GET  / HTTP/1.1")},
      {"TwoSpacesBeforeVersion", 400, Ask("GET /  HTTP/1.1")},
      {"SpaceBehindVersion", 400, Ask("GET / HTTP/1.1 ")},
      {"TabBehindVersion", 400, Ask("GET / HTTP/1.1\t")},
      {"WordBehindVersion", 400, Ask("GET / HTTP/1.1 x")},
      {"VersionTwice", 400, Ask("GET / HTTP/1.1 HTTP/1.1")},
      {"SpaceInTarget", 400, Ask("GET /a b HTTP/1.1")},
      {"TabsForSpaces", 400, Ask("GET\t/\tHTTP/1.1")},
      {"TabBeforeTarget", 400, Ask("GET\t/ HTTP/1.1")},
      {"TabBeforeVersion", 400, Ask("GET /\tHTTP/1.1")},
      {"TabInTarget", 400, Ask("GET /a\tb HTTP/1.1")},
      {"NoBreakSpace", 400, Ask("GET\xA0/ HTTP/1.1")},
      {"SpaceFirst", 400, Ask(" GET / HTTP/1.1")},
      {"TabFirst", 400, Ask("\tGET / HTTP/1.1")},
      {"TwoEmptyLinesFirst", 400, "\r\n\r\n" + Get("")},
      {"SpaceLineFirst", 400, " \r\n" + Get("")},
      {"ByteOrderMarkFirst", 400, Ask("\xEF\xBB\xBFGET / HTTP/1.1")},
      {"MethodWithColon", 400, Ask("GE:T / HTTP/1.1")},
      {"MethodInParentheses", 400, Ask("(GET) / HTTP/1.1")},
      {"MethodQuoted", 400, Ask("\"GET\" / HTTP/1.1")},
      {"MethodUtf8", 400, Ask("G\xC3\x89T / HTTP/1.1")},
      {"MethodWithAt", 400, Ask("G@T / HTTP/1.1")},
      {"ConnectAuthority", 400, Ask("CONNECT guard.example:443 HTTP/1.1")},
      {"ConnectPath", 400, Ask("CONNECT / HTTP/1.1")},
      {"ConnectUrl", 400, Ask("CONNECT http://guard.example/ HTTP/1.1")},
      {"ConnectWithBody", 400,
       Ask("CONNECT guard.example:80 HTTP/1.1", "Content-Length: 5\r\n", "hello")},
      {"TlsHello", 400, "\x16\x03\x01\x02"},
      {"Ssh", 400, "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
      {"Answer", 400, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"ProxyLine", 400, "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + Get("")},
  });
}

TEST_F(SmugglingRequestTest, BadTargetsAreRefused) {
  std::vector<BadRequest> table;
  const std::vector<std::pair<std::string, std::string>> targets = {
      {"Relative", "index.html"},
      {"DotRelative", "./index.html"},
      {"QueryOnly", "?a=b"},
      {"Star", "*"},
      {"StarPath", "*/"},
      {"Authority", "guard.example:80"},
      {"Fragment", "/a#b"},
      {"EmptyFragment", "/a#"},
      {"FragmentInQuery", "/a?b#c"},
      {"RawUtf8", "/\xC3\xA4"},
      {"RawLatin1", "/\xE4"},
      {"RawUtf8InQuery", "/?a=\xC3\xA4"},
      {"RawHighByte", "/\xFF"},
      {"ForeignScheme", "ftp://guard.example/"},
      {"FileScheme", "file:///etc/passwd"},
      {"ScriptScheme", "javascript:alert(1)"},
      {"AlmostHttp", "httpx://guard.example/"},
      {"NoScheme", "://guard.example/"},
      {"NoSlashes", "http:guard.example/"},
      {"OneSlash", "http:/guard.example/"},
      {"Backslashes", "http:\\\\guard.example/"},
      {"NoAuthority", "http:///x"},
      {"NothingBehindScheme", "http://"},
      {"OnlyPort", "http://:80/"},
      {"PortNotANumber", "http://guard.example:x/"},
      {"PortTooLong", "http://guard.example:123456/"},
      {"TwoPorts", "http://guard.example:80:80/"},
      {"UserInfo", "http://ann@guard.example/"},
      {"UserAndPassword", "http://ann:secret@guard.example/"},
      {"EmptyUserInfo", "http://@guard.example/"},
      {"BracketOpen", "http://[::1/"},
      {"BracketsEmpty", "http://[]/"},
      {"BackslashInAuthority", "http://guard.example\\@other.example/"},
      {"CommaInAuthority", "http://a,b/"},
      {"FragmentBehindAuthority", "http://guard.example#@other.example/"},
      {"Utf8Authority", "http://\xC3\xA4.example/"},
      {"AbsoluteFragment", "http://guard.example/#a"},
  };
  for (const auto& [name, target] : targets) {
    table.push_back({name, 400, Ask("GET " + target + " HTTP/1.1")});
  }
  table.push_back({"StarWithPost", 400, Ask("POST * HTTP/1.1", "Content-Length: 0\r\n")});
  table.push_back({"OptionsTwoStars", 400, Ask("OPTIONS ** HTTP/1.1")});
  table.push_back({"OptionsStarQuery", 400, Ask("OPTIONS *?a HTTP/1.1")});
  ExpectRefused(table);
}

TEST_F(SmugglingRequestTest, OtherVersionsAreRefused) {
  std::vector<BadRequest> table = {
      {"Http09", 400, "GET /\r\n\r\n"},
      {"Http09WithFields", 400, Ask("GET /")},
      {"Http09TrailingSpace", 400, "GET / \r\n\r\n"},
      {"Http2Preface", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
  };
  for (const char* version :
       {"HTTP/0.9",   "HTTP/1.2",  "HTTP/1.9",  "HTTP/2.0",  "HTTP/3.0",  "HTTP/9.9",
        "HTTP/99.99", "HTTP/2",    "HTTP/1",    "HTTP/1.",   "HTTP/.1",   "HTTP/",
        "HTTP",       "HTTP/11",   "HTTP/1.10", "HTTP/01.1", "HTTP/1.01", "HTTP/1.1.1",
        "HTTP/1,1",   "HTTP/-1.1", "HTTP/+1.1", "HTTP/1.x",  "HTTP/1.1a", "HTTP/a.b",
        "http/1.1",   "Http/1.1",  "HTTPS/1.1", "HTTP1.1",   "HTTP//1.1", "HTTP\\1.1",
        "HTTP /1.1",  "HTTP/ 1.1", "HTTP/1 .1", "ICY/1.1",   "XHTTP/1.1", "HTTP/\xC2\xB9.1"}) {
    table.push_back({version, 400, Ask("GET / " + std::string(version))});
  }
  ExpectRefused(table);
}

TEST_F(SmugglingRequestTest, TooMuchIsRefused) {
  const std::string fill(kHeaderSize, 'a');
  std::string many;
  while (many.size() < kHeaderSize) many += "X: y\r\n";
  ExpectRefused({
      {"LongTarget", 414, Ask("GET /" + fill + " HTTP/1.1")},
      {"LongQuery", 414, Ask("GET /?" + fill + " HTTP/1.1")},
      {"LongAbsoluteTarget", 414, Ask("GET http://guard.example/" + fill + " HTTP/1.1")},
      {"LongMethod", 414, Ask(fill + " / HTTP/1.1")},
      {"EndlessLine", 414, std::string(4 * kHeaderSize, 'A')},
      {"LongValue", 431, Get("X: " + fill + "\r\n")},
      {"LongName", 431, Get(fill + ": x\r\n")},
      {"LongLineWithoutColon", 431, Get(fill + "\r\n")},
      {"LongCookie", 431, Get("Cookie: a=" + fill + "\r\n")},
      {"ManyFields", 431, Get(many)},
      {"LongWithLength", 431,
       Ask("POST / HTTP/1.1", "X: " + fill + "\r\nContent-Length: 5\r\n", "hello")},
  });
}

// A connection that has been in use, with the bad request in the same segment as the one before it.
TEST_F(SmugglingRequestTest, BadRequestsBehindASoundOneAreRefused) {
  const std::vector<BadRequest> table = {
      {"LengthTwice", 400, Get("Content-Length: 0\r\nContent-Length: 0\r\n")},
      {"LengthAndChunked", 400, Get("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")},
      {"XChunked", 400, Get("Transfer-Encoding: xchunked\r\n")},
      {"SpaceBeforeColon", 400, Get("Content-Length : 0\r\n")},
      {"Folded", 400, Get("X: a\r\n b\r\n")},
      {"BareLf", 400, Get("X: a\n")},
      {"BareLfFirst", 400, "\n" + Get("")},
      {"TwoEmptyLinesFirst", 400, "\r\n\r\n" + Get("")},
      {"BareCr", 400, Get("X: a\rb\r\n")},
      {"Nul", 400, Get("X: \0\r\n"s)},
      {"NoHost", 400, "GET / HTTP/1.1\r\n\r\n"},
      {"Version20", 400, Ask("GET / HTTP/2.0")},
      {"LongLine", 414, Ask("GET /" + std::string(kHeaderSize, 'a') + " HTTP/1.1")},
      {"LongField", 431, Get("X: " + std::string(kHeaderSize, 'a') + "\r\n")},
      {"BadHandshake", 426, Get("Upgrade: websocket\r\nConnection: Upgrade\r\n")},
      {"HandshakeWithBody", 400, TestClient::Handshake("/ws/ann", "Content-Length: 5\r\n")},
  };
  for (const std::string& sound :
       {Ask("POST /sound HTTP/1.1", "Content-Length: 3\r\n", "abc"),
        Ask("POST /sound HTTP/1.1", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")}) {
    ForEach<BadRequest>(table, [&](const BadRequest& bad, bool split) {
      watch_.Close();  // the sound one's connection is new
      TestClient client = guard().Connect();
      Send(client, sound + bad.bytes + std::string(kSmuggled), split);
      OriginLeg origin = origin_.Accept();
      EXPECT_TRUE(origin.ReadRequest().starts_with("POST /sound HTTP/1.1\r\n"));
      const std::string body = sound.substr(sound.find("\r\n\r\n") + 4);
      EXPECT_EQ(origin.Read(body.size()), body);
      origin.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      client.ExpectStatus(200);
      EXPECT_EQ(client.Read(2), "ok");
      ExpectProblem(client, bad.status);
      watch_.Add(std::move(origin));  // which the guard has kept
      EXPECT_EQ(watch_.Probe(guard().Connect()), std::vector<std::string>{});
    });
  }
}

}  // namespace
}  // namespace connguard::testing
