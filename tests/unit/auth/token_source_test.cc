#include "auth/token_source.h"

#include <gtest/gtest.h>

namespace connguard {
namespace {

using Kind = TokenPlace::Kind;

std::optional<std::string> Find(const std::vector<TokenPlace>& places, std::vector<Field> fields,
                                const std::string& target = "/ws") {
  return FindToken(places, {.method = "GET", .target = target, .fields = std::move(fields)});
}

const std::vector<TokenPlace> kBearer = {{}};

TEST(TokenSourceTest, BearerTokens) {
  EXPECT_EQ(Find(kBearer, {{"Authorization", "Bearer a.b.c"}}), "a.b.c");
  EXPECT_EQ(Find(kBearer, {{"authorization", "bEARER   a.b.c"}}), "a.b.c");
  for (const char* const value :
       {"", "Bearer", "Bearer ", "Basic a.b.c", "Bearera.b.c", "a.b.c", "Bearer\ta.b.c"}) {
    EXPECT_EQ(Find(kBearer, {{"Authorization", value}}), std::nullopt) << value;
  }
  EXPECT_EQ(Find(kBearer, {}), std::nullopt);
}

TEST(TokenSourceTest, TwoAuthorizationHeadersAreAmbiguous) {
  EXPECT_EQ(Find(kBearer, {{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}),
            std::nullopt);
  EXPECT_EQ(Find(kBearer, {{"Authorization", "Bearer a"}, {"authorization", "Basic b"}}),
            std::nullopt);
  EXPECT_EQ(Find({{}, {Kind::kQuery, "t"}},
                 {{"Authorization", "Bearer a"}, {"Authorization", "Bearer a"}}, "/?t=x"),
            std::nullopt);
}

TEST(TokenSourceTest, Headers) {
  const std::vector<TokenPlace> places = {{Kind::kHeader, "X-Token"}};
  EXPECT_EQ(Find(places, {{"x-token", "a.b.c"}}), "a.b.c");
  EXPECT_EQ(Find(places, {{"X-Token", "a"}, {"X-Token", "b"}}), std::nullopt);
  EXPECT_EQ(Find(places, {{"X-Tokens", "a"}}), std::nullopt);
}

TEST(TokenSourceTest, QueryParameters) {
  const std::vector<TokenPlace> places = {{Kind::kQuery, "access_token"}};
  EXPECT_EQ(Find(places, {}, "/ws?x=1&access_token=a%2Eb.c&y"), "a.b.c");
  EXPECT_EQ(Find(places, {}, "/ws?access%5Ftoken=a"), "a");
  for (const char* const target :
       {"/ws", "/ws?", "/ws?access_token", "/ws?access_token=", "/access_token=a?x",
        "/ws?access_token=a&access_token=b", "/ws?access_token=a&access%5Ftoken=b",
        "/ws?access_token=a&access_token"}) {
    EXPECT_EQ(Find(places, {}, target), std::nullopt) << target;
  }
}

TEST(TokenSourceTest, Cookies) {
  const std::vector<TokenPlace> places = {{Kind::kCookie, "session"}};
  EXPECT_EQ(Find(places, {{"Cookie", "a=b; session=\"a.b.c\"; c=d"}}), "a.b.c");
  EXPECT_EQ(Find(places, {{"Cookie", "a=b"}, {"cookie", "session=a"}}), "a");
  EXPECT_EQ(Find(places, {{"Cookie", "session=a; session=b"}}), std::nullopt);
  EXPECT_EQ(Find(places, {{"Cookie", "session=a"}, {"Cookie", "session=b"}}), std::nullopt);
  EXPECT_EQ(Find(places, {{"Cookie", "Session=a; sessions=b; session"}}), std::nullopt);
}

TEST(TokenSourceTest, Subprotocols) {
  const std::vector<TokenPlace> places = {{Kind::kSubprotocol, "bearer."}};
  EXPECT_EQ(Find(places, {{"Sec-WebSocket-Protocol", "chat, bearer.a.b.c"}}), "a.b.c");
  EXPECT_EQ(Find(places, {{"Sec-WebSocket-Protocol", "chat"},
                          {"sec-websocket-protocol", "bearer.a.b.c ,x"}}),
            "a.b.c");
  for (const char* const value :
       {"chat", "bearer.", "Bearer.a", "xbearer.a", "bearer", "", "bearer.a, bearer.b"}) {
    EXPECT_EQ(Find(places, {{"Sec-WebSocket-Protocol", value}}), std::nullopt) << value;
  }
}

TEST(TokenSourceTest, TheFirstPlaceThatHoldsOne) {
  const std::vector<TokenPlace> places = {
      {Kind::kQuery, "t"}, {}, {Kind::kCookie, "c"}, {Kind::kHeader, "X-T"}};
  const std::vector<Field> all = {
      {"Authorization", "Bearer bearer"}, {"Cookie", "c=cookie"}, {"X-T", "header"}};
  EXPECT_EQ(Find(places, all, "/?t=query"), "query");
  EXPECT_EQ(Find(places, all, "/?t="), "bearer");
  EXPECT_EQ(Find(places, {all[1], all[2]}), "cookie");
  EXPECT_EQ(Find(places, {all[2], {"Authorization", "Basic x"}}), "header");
  EXPECT_EQ(Find({}, all, "/?t=query"), std::nullopt);
}

}  // namespace
}  // namespace connguard
