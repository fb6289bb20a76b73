// Heads that must not pass: each with the status to answer it with.
#include <vector>

#include "heads.h"

namespace connguard {
namespace {

using testing::Outcome;
using testing::ReadAll;

struct BadHead {
  const char* name;
  int status;
  std::string text;
};

void PrintTo(const BadHead& bad, std::ostream* out) { *out << bad.name; }

using namespace std::string_literals;

const std::string kGet = "GET / HTTP/1.1\r\n";
const std::string kHost = "Host: a\r\n";

const std::vector<BadHead>& BadRequests() {
  static const std::vector<BadHead> kTable = {
      // line ends and bytes
      {"BareLfAfterRequestLine", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"},
      {"BareLfAfterField", 400, kGet + "Host: a\n\r\n"},
      {"OnlyBareLf", 400, "GET / HTTP/1.1\nHost: a\n\n"},
      {"BareLfAtTheEnd", 400, kGet + kHost + "\n"},
      {"BareCrInField", 400, kGet + "Host: a\rb\r\n\r\n"},
      {"BareCrInTarget", 400, "GET /\r HTTP/1.1\r\n" + kHost + "\r\n"},
      {"DoubledCr", 400, kGet + "Host: a\r\r\n\r\n"},
      {"NulInValue", 400, kGet + "Host: a\r\nX: a\0b\r\n\r\n"s},
      {"NulInName", 400, kGet + "Host: a\r\nX\0: b\r\n\r\n"s},
      {"NulInTarget", 400, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"DelInValue", 400, kGet + kHost + "X: a\x7F\r\n\r\n"},
      {"EscapeInValue", 400, kGet + kHost + "X: \x1B[0m\r\n\r\n"},
      {"VerticalTab", 400,
       kGet + kHost +
           "X:\x0B"
           "a\r\n\r\n"},
      {"TwoEmptyLinesFirst", 400, "\r\n\r\n" + kGet + kHost + "\r\n"},
      {"TlsHello", 400, "\x16\x03\x01\x02"s},
      {"ControlBeforeALineEnds", 400, "GET /a b\x01"},
      // request line
      {"NoTarget", 400, "GET HTTP/1.1\r\n" + kHost + "\r\n"},
      {"NoVersion", 400, "GET /\r\n" + kHost + "\r\n"},
      {"TwoSpaces", 400, "GET  / HTTP/1.1\r\n" + kHost + "\r\n"},
      {"SpaceInTarget", 400, "GET /a b HTTP/1.1\r\n" + kHost + "\r\n"},
      {"SpaceBehindVersion", 400, "GET / HTTP/1.1 \r\n" + kHost + "\r\n"},
      {"TabForSpace", 400, "GET\t/\tHTTP/1.1\r\n" + kHost + "\r\n"},
      {"SpaceFirst", 400, " GET / HTTP/1.1\r\n" + kHost + "\r\n"},
      {"MethodWithColon", 400, "GE:T / HTTP/1.1\r\n" + kHost + "\r\n"},
      {"RelativeTarget", 400, "GET index.html HTTP/1.1\r\n" + kHost + "\r\n"},
      {"Fragment", 400, "GET /ws/a#b HTTP/1.1\r\n" + kHost + "\r\n"},
      {"RawUtf8Target", 400, "GET /\xC3\xA4 HTTP/1.1\r\n" + kHost + "\r\n"},
      {"StarWithGet", 400, "GET * HTTP/1.1\r\n" + kHost + "\r\n"},
      {"ForeignScheme", 400, "GET ftp://a/ HTTP/1.1\r\n" + kHost + "\r\n"},
      {"AbsoluteWithoutAuthority", 400, "GET http:///x HTTP/1.1\r\n" + kHost + "\r\n"},
      {"AbsoluteWithUser", 400, "GET http://u@a/ HTTP/1.1\r\n" + kHost + "\r\n"},
      {"Connect", 400, "CONNECT a:443 HTTP/1.1\r\n" + kHost + "\r\n"},
      // versions
      {"Version09", 400, "GET / HTTP/0.9\r\n" + kHost + "\r\n"},
      {"Version12", 400, "GET / HTTP/1.2\r\n" + kHost + "\r\n"},
      {"Version20", 400, "GET / HTTP/2.0\r\n" + kHost + "\r\n"},
      {"Http2Preface", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"VersionOfOneDigit", 400, "GET / HTTP/2\r\n" + kHost + "\r\n"},
      {"VersionOfTwoDigits", 400, "GET / HTTP/1.10\r\n" + kHost + "\r\n"},
      {"LowerCaseVersion", 400, "GET / http/1.1\r\n" + kHost + "\r\n"},
      // fields
      {"SpaceBeforeColon", 400, kGet + "Host : a\r\n\r\n"},
      {"TabBeforeColon", 400, kGet + kHost + "X\t: a\r\n\r\n"},
      {"SpaceInName", 400, kGet + kHost + "X Y: a\r\n\r\n"},
      {"NoColon", 400, kGet + kHost + "X\r\n\r\n"},
      {"EmptyName", 400, kGet + kHost + ": a\r\n\r\n"},
      {"NameWithBracket", 400, kGet + kHost + "X[]: a\r\n\r\n"},
      {"Utf8Name", 400, kGet + kHost + "\xC3\xA4: a\r\n\r\n"},
      {"Folded", 400, kGet + kHost + "X: a\r\n b\r\n\r\n"},
      {"FoldedByTab", 400, kGet + kHost + "X: a\r\n\tb\r\n\r\n"},
      {"FirstFieldIndented", 400, kGet + " Host: a\r\n\r\n"},
      // Host
      {"HostMissing", 400, kGet + "X: a\r\n\r\n"},
      {"NoFields", 400, kGet + "\r\n"},
      {"HostTwice", 400, kGet + kHost + kHost + "\r\n"},
      {"HostTwiceInOtherCase", 400, kGet + kHost + "hOST: b\r\n\r\n"},
      {"HostEmpty", 400, kGet + "Host:\r\n\r\n"},
      {"HostWithPath", 400, kGet + "Host: a/b\r\n\r\n"},
      {"HostWithUser", 400, kGet + "Host: u@a\r\n\r\n"},
      {"HostList", 400, kGet + "Host: a, b\r\n\r\n"},
      {"HostOnlyPort", 400, kGet + "Host: :80\r\n\r\n"},
      {"HostPortNotANumber", 400, kGet + "Host: a:8o\r\n\r\n"},
      {"HostBracketOpen", 400, kGet + "Host: [::1\r\n\r\n"},
      {"HostTwiceIn10", 400, "GET / HTTP/1.0\r\n" + kHost + kHost + "\r\n"},
      // framing
      {"LengthTwice", 400, kGet + kHost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
      {"LengthsConflict", 400, kGet + kHost + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"},
      {"LengthList", 400, kGet + kHost + "Content-Length: 5, 5\r\n\r\n"},
      {"LengthNegative", 400, kGet + kHost + "Content-Length: -5\r\n\r\n"},
      {"LengthPlus", 400, kGet + kHost + "Content-Length: +5\r\n\r\n"},
      {"LengthHex", 400, kGet + kHost + "Content-Length: 0x5\r\n\r\n"},
      {"LengthEmpty", 400, kGet + kHost + "Content-Length:\r\n\r\n"},
      {"LengthTooLarge", 400, kGet + kHost + "Content-Length: 18446744073709551616\r\n\r\n"},
      {"LengthAndChunked", 400,
       kGet + kHost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"ChunkedAndLength", 400,
       kGet + kHost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
      {"GzipAndLength", 400, kGet + kHost + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"},
      {"ChunkedTwice", 400,
       kGet + kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"ChunkedAndIdentity", 400,
       kGet + kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"},
      {"Gzip", 400, kGet + kHost + "Transfer-Encoding: gzip\r\n\r\n"},
      {"GzipChunked", 400, kGet + kHost + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
      {"ChunkedGzip", 400, kGet + kHost + "Transfer-Encoding: chunked, gzip\r\n\r\n"},
      {"ChunkedChunked", 400, kGet + kHost + "Transfer-Encoding: chunked, chunked\r\n\r\n"},
      {"QuotedChunked", 400, kGet + kHost + "Transfer-Encoding: \"chunked\"\r\n\r\n"},
      {"ChunkedWithParameter", 400, kGet + kHost + "Transfer-Encoding: chunked;q=1\r\n\r\n"},
      {"XChunked", 400, kGet + kHost + "Transfer-Encoding: xchunked\r\n\r\n"},
      {"Identity", 400, kGet + kHost + "Transfer-Encoding: identity\r\n\r\n"},
      {"EmptyCoding", 400, kGet + kHost + "Transfer-Encoding:\r\n\r\n"},
      {"ChunkedIn10", 400, "POST / HTTP/1.0\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n"},
      {"ConnectionNotAList", 400, kGet + kHost + "Connection: a b\r\n\r\n"},
      // size
      {"LongTarget", 414, "GET /" + std::string(testing::kHeaderSize, 'a')},
      {"LongField", 431, kGet + kHost + "X: " + std::string(testing::kHeaderSize, 'a')},
      {"LongMethod", 414, std::string(testing::kHeaderSize, 'A')},
      {"ManyFields", 431,
       [] {
         std::string text = kGet + kHost;
         while (text.size() < testing::kHeaderSize) text += "X: y\r\n";
         return text;
       }()},
  };
  return kTable;
}

const std::vector<BadHead>& BadResponses() {
  static const std::vector<BadHead> kTable = {
      {"BareLf", 400, "HTTP/1.1 200 OK\nX: a\n\n"},
      {"BareCr", 400, "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"},
      {"Nul", 400, "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"s},
      {"ControlInReason", 400, "HTTP/1.1 200 O\x01K\r\n\r\n"},
      {"Folded", 400, "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"},
      {"SpaceBeforeColon", 400, "HTTP/1.1 200 OK\r\nX : a\r\n\r\n"},
      {"EmptyLineFirst", 400, "\r\nHTTP/1.1 200 OK\r\n\r\n"},
      {"StatusOfTwoDigits", 400, "HTTP/1.1 20 OK\r\n\r\n"},
      {"StatusOfFourDigits", 400, "HTTP/1.1 2000 OK\r\n\r\n"},
      {"Status099", 400, "HTTP/1.1 099 OK\r\n\r\n"},
      {"StatusNotANumber", 400, "HTTP/1.1 abc OK\r\n\r\n"},
      {"Version20", 400, "HTTP/2.0 200 OK\r\n\r\n"},
      {"OtherProtocol", 400, "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
      {"LengthTwice", 400, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
      {"LengthAndChunked", 400,
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"GzipCoding", 400, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"},
      {"ChunkedIn10", 400, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"LongHead", 431, "HTTP/1.1 200 OK\r\nX: " + std::string(testing::kHeaderSize, 'a')},
  };
  return kTable;
}

class BadRequestTest : public ::testing::TestWithParam<BadHead> {};
class BadResponseTest : public ::testing::TestWithParam<BadHead> {};

template <typename Head>
void ExpectRefused(const BadHead& bad) {
  for (const std::size_t step : {bad.text.size(), std::size_t{1}, std::size_t{7}}) {
    MessageReader<Head> reader(testing::kHeaderSize);
    const Outcome outcome = ReadAll(reader, bad.text, step);
    EXPECT_FALSE(outcome.head);
    EXPECT_EQ(outcome.error, bad.status) << outcome.why << ", in reads of " << step;
    EXPECT_FALSE(outcome.why.empty());
  }
}

TEST_P(BadRequestTest, IsRefused) { ExpectRefused<RequestHead>(GetParam()); }
TEST_P(BadResponseTest, IsRefused) { ExpectRefused<ResponseHead>(GetParam()); }

constexpr auto kName = [](const auto& test) { return std::string(test.param.name); };
INSTANTIATE_TEST_SUITE_P(Strict, BadRequestTest, ::testing::ValuesIn(BadRequests()), kName);
INSTANTIATE_TEST_SUITE_P(Strict, BadResponseTest, ::testing::ValuesIn(BadResponses()), kName);

}  // namespace
}  // namespace connguard
