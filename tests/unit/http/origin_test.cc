// Origins: whose pages may open a connection.
#include "http/origin.h"

#include "heads.h"

namespace connguard {
namespace {

using testing::Request;

std::vector<OriginPattern> Patterns(const std::vector<std::string>& texts) {
  std::vector<OriginPattern> patterns;
  for (const std::string& text : texts) patterns.push_back(ParseOrigin(text).value());
  return patterns;
}

// `*.` before the host of `origin`.
OriginPattern Below(const std::string& origin) {
  OriginPattern pattern = ParseOrigin(origin).value();
  pattern.any_subdomain = true;
  return pattern;
}

bool Allowed(const std::vector<OriginPattern>& patterns, const std::vector<std::string>& origins) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (const std::string& origin : origins) text += "oRIGIN: " + origin + "\r\n";
  return OriginAllowed(patterns, Request(text + "\r\n"));
}

TEST(OriginTest, AnOriginIsSchemeHostAndPort) {
  const OriginPattern origin = ParseOrigin("HTTPS://App.Example:8443").value();
  EXPECT_EQ(origin.scheme, "https");
  EXPECT_EQ(origin.host, "app.example");
  EXPECT_EQ(origin.port, 8443);
  EXPECT_EQ(ParseOrigin("https://a")->port, 443);
  EXPECT_EQ(ParseOrigin("http://a")->port, 80);
  EXPECT_EQ(ParseOrigin("moz-extension://0-f")->port, 0);
  EXPECT_EQ(ParseOrigin("http://[2001:DB8::1]:81")->host, "[2001:db8::1]");
  EXPECT_EQ(ParseOrigin("http://[2001:db8::1]:81")->port, 81);
  EXPECT_EQ(ParseOrigin("null")->scheme, "");
}

TEST(OriginTest, NothingElseIsAnOrigin) {
  for (const char* text : {"",
                           "NULL",
                           "a",
                           "a.example",
                           "//a",
                           "://a",
                           "1a://a",
                           "https://",
                           "https:///",
                           "https://a/",
                           "https://a/b",
                           "https://a?b",
                           "https://a#b",
                           "https://me@a",
                           "https://a:",
                           "https://a:0",
                           "https://a:65536",
                           "https://a:x",
                           "https://a:1:1",
                           "https://.a",
                           "https://a..b",
                           "https://*.a",
                           "https://a b",
                           "https://a https://b",
                           "https://a,https://b",
                           "https://[::1",
                           "https://[]",
                           "https://[::1]x",
                           "https://::1",
                           "https://[a]",
                           "https://[::g]",
                           "https://caf\xC3\xA9.example",
                           "https://a%2eb"}) {
    EXPECT_FALSE(ParseOrigin(text)) << text;
  }
}

TEST(OriginTest, SchemeHostAndPortMustAllAgree) {
  const auto patterns = Patterns({"https://app.example", "http://b:8080"});
  for (const char* origin :
       {"https://app.example", "https://app.example:443", "HTTPS://APP.example", "http://b:8080"}) {
    EXPECT_TRUE(Allowed(patterns, {origin})) << origin;
  }
  for (const char* origin :
       {"http://app.example", "https://app.example:8443", "https://x.app.example",
        "https://app.example.evil", "https://evilapp.example", "https://app.example.", "http://b",
        "https://b:8080", "null", "", "*", "https://app.example/"}) {
    EXPECT_FALSE(Allowed(patterns, {origin})) << origin;
  }
}

TEST(OriginTest, AWildcardIsOneLabelOrMore) {
  const std::vector<OriginPattern> patterns{Below("https://example.com:8443")};
  EXPECT_TRUE(Allowed(patterns, {"https://a.example.com:8443"}));
  EXPECT_TRUE(Allowed(patterns, {"https://A.b.EXAMPLE.com:8443"}));
  for (const char* origin :
       {"https://example.com:8443", "https://.example.com:8443", "https://aexample.com:8443",
        "https://a.example.com", "http://a.example.com:8443", "https://a.example.com.evil:8443",
        "https://evil/.example.com:8443"}) {
    EXPECT_FALSE(Allowed(patterns, {origin})) << origin;
  }
}

TEST(OriginTest, NullIsAllowedOnlyWhereItIsNamed) {
  EXPECT_TRUE(Allowed(Patterns({"null"}), {"null"}));
  EXPECT_FALSE(Allowed(Patterns({"null"}), {"https://a"}));
  EXPECT_FALSE(Allowed(Patterns({"https://a"}), {"null"}));
}

TEST(OriginTest, WithoutPatternsAllAreAllowed) {
  EXPECT_TRUE(Allowed({}, {"https://evil"}));
  EXPECT_TRUE(Allowed({}, {"https://evil", "no origin"}));
}

TEST(OriginTest, WhoSendsNoOriginIsNoBrowser) { EXPECT_TRUE(Allowed(Patterns({"https://a"}), {})); }

TEST(OriginTest, TwoOriginsAreRefused) {
  EXPECT_FALSE(Allowed(Patterns({"https://a"}), {"https://a", "https://a"}));
  EXPECT_FALSE(Allowed(Patterns({"https://a"}), {"https://a", "https://evil"}));
  EXPECT_FALSE(Allowed(Patterns({"https://a"}), {"https://a, https://a"}));
}

}  // namespace
}  // namespace connguard
