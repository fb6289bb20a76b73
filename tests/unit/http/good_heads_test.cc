// Rare heads that are sound, and that a guard must not break.
#include <vector>

#include "heads.h"

namespace connguard {
namespace {

using testing::Request;
using testing::Response;

struct GoodHead {
  const char* name;
  std::string text;
};

void PrintTo(const GoodHead& good, std::ostream* out) { *out << good.name; }

const std::vector<GoodHead>& GoodRequests() {
  static const std::vector<GoodHead> kTable = {
      {"UnknownMethod", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"MethodOfMarks", "M-SEARCH!#$%&'*+.^_`|~ /x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"AbsoluteForm", "GET http://a:80/x?y HTTP/1.1\r\nHost: b\r\n\r\n"},
      {"AbsoluteWebSocketForm", "GET wss://[::1]/x HTTP/1.1\r\nHost: b\r\n\r\n"},
      {"OptionsStar", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"Version10WithoutHost", "GET / HTTP/1.0\r\n\r\n"},
      {"EncodedSpace", "GET /?a=%20z&b=%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"OddPath", "GET //a/../b;c=d?{e}|f\"g\\h HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HostWithPort", "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n"},
      {"HostV6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"},
      {"HostUnderscore", "GET / HTTP/1.1\r\nHost: my_service\r\n\r\n"},
      {"ObsoleteText", "GET / HTTP/1.1\r\nHost: a\r\nX: \xFF\xE4\r\n\r\n"},
      {"EmptyValue", "GET / HTTP/1.1\r\nHost: a\r\nX: \r\nY: z\r\n\r\n"},
      {"TabInsideValue", "GET / HTTP/1.1\r\nHost: a\r\nX: a\tb\r\n\r\n"},
      {"NameOfMarks", "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: x\r\n\r\n"},
      {"Duplicates", "GET / HTTP/1.1\r\nHost: a\r\nx-A: 1\r\nX-a: 2\r\nx-A: 1\r\n\r\n"},
      {"LengthZero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
      {"LengthMax", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"},
      {"ChunkedInCapitals", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n"},
      {"GetWithBody", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"},
      {"ExpectContinue",
       "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"},
  };
  return kTable;
}

const std::vector<GoodHead>& GoodResponses() {
  static const std::vector<GoodHead> kTable = {
      {"EmptyReason", "HTTP/1.1 200 \r\n\r\n"},
      {"LongReason", "HTTP/1.1 403 No, \xC3\xA4rgerlich!\r\n\r\n"},
      {"Version10", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n"},
      {"Status599", "HTTP/1.1 599 Odd\r\n\r\n"},
      {"Cookies", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n"},
      {"Switching", "HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: websocket\r\n\r\n"},
  };
  return kTable;
}

class GoodRequestTest : public ::testing::TestWithParam<GoodHead> {};
class GoodResponseTest : public ::testing::TestWithParam<GoodHead> {};

TEST_P(GoodRequestTest, IsWrittenAsItWasRead) {
  EXPECT_EQ(Serialize(Request(GetParam().text)), GetParam().text);
}
TEST_P(GoodResponseTest, IsWrittenAsItWasRead) {
  EXPECT_EQ(Serialize(Response(GetParam().text)), GetParam().text);
}

constexpr auto kName = [](const auto& test) { return std::string(test.param.name); };
INSTANTIATE_TEST_SUITE_P(Rare, GoodRequestTest, ::testing::ValuesIn(GoodRequests()), kName);
INSTANTIATE_TEST_SUITE_P(Rare, GoodResponseTest, ::testing::ValuesIn(GoodResponses()), kName);

TEST(GoodHeadsTest, ValuesLoseTheirSurroundingWhiteSpace) {
  const RequestHead head = Request("GET / HTTP/1.1\r\nHost: \t a \t\r\nX:y\r\n\r\n");
  EXPECT_EQ(head.fields[0].value, "a");
  EXPECT_EQ(head.fields[1].value, "y");
}

TEST(GoodHeadsTest, OneEmptyLineBeforeARequestIsIgnored) {
  EXPECT_EQ(Request("\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n").target, "/x");
}

TEST(GoodHeadsTest, HeadOfExactlyTheLimitPasses) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  text += std::string(testing::kHeaderSize - text.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(text.size(), testing::kHeaderSize);
  EXPECT_EQ(Request(text).fields.size(), 2U);
  text.insert(text.size() - 4, "x");
  RequestReader reader(testing::kHeaderSize);
  EXPECT_EQ(reader.Feed(AsBytes(text)).http_status, 431);
}

TEST(GoodHeadsTest, FieldsAreFoundWithoutCase) {
  const RequestHead head = Request("GET / HTTP/1.1\r\nHost: a\r\nx-y: 1\r\nX-Y: 2\r\n\r\n");
  EXPECT_EQ(Find(head.fields, "X-Y"), "1");
  EXPECT_EQ(Count(head.fields, "x-Y"), 2U);
  EXPECT_EQ(Find(head.fields, "X"), std::nullopt);
  EXPECT_EQ(Only(head.fields, "host"), "a");
  EXPECT_EQ(Only(head.fields, "X-Y"), std::nullopt) << "there are two";
  EXPECT_EQ(Only(head.fields, "X"), std::nullopt);
}

TEST(GoodHeadsTest, TokensAreFoundInAllListsOfAName) {
  const std::vector<Field> fields = {
      {"Connection", "keep-alive ,,\tUpgrade"}, {"connection", "x"}, {"Other", "y"}};
  EXPECT_TRUE(HasToken(fields, "Connection", "upgrade"));
  EXPECT_TRUE(HasToken(fields, "Connection", "X"));
  EXPECT_FALSE(HasToken(fields, "Connection", "up"));
  EXPECT_FALSE(HasToken(fields, "Connection", "y"));
}

}  // namespace
}  // namespace connguard
