// What a TlsClient thinks of an upstream's certificate, in words.
#include <gtest/gtest.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class UpstreamTest : public ::testing::Test {
 protected:
  // The client's error at an upstream with this certificate; empty: none.
  std::string Why(const CertificateFiles& files, const UpstreamTlsConfig& config,
                  const std::string& host = "localhost") {
    const auto server = world_.Server({.certificates = {files}});
    const auto client = world_.Client(config, host);
    TlsPair pair(*client, *server);
    pair.Handshake();
    EXPECT_EQ(pair.is_open(), pair.client.stream->error().empty());
    asked_ = pair.server.stream->server_name();
    is_verified_ = pair.client.stream->peer().has_value();
    return pair.client.stream->error();
  }
  std::string Why(const CertificateWish& wish, const std::string& host = "localhost") {
    return Why(world_.Files("upstream", wish), world_.Upstream(), host);
  }
  static ::testing::AssertionResult Has(const std::string& text, std::string_view part) {
    return (text.find(part) == text.npos ? ::testing::AssertionFailure()
                                         : ::testing::AssertionSuccess())
           << text;
  }

  TlsWorld world_;
  std::string asked_;
  bool is_verified_ = false;
};

TEST_F(UpstreamTest, AGoodOne) {
  EXPECT_EQ(Why({.names = {"localhost"}}), "");
  EXPECT_TRUE(is_verified_);
  EXPECT_EQ(asked_, "localhost");
  EXPECT_EQ(Why({.names = {"*.corp.example"}}, "a.corp.example."), "");
  EXPECT_EQ(Why({.common_name = "localhost"}), "");
}

TEST_F(UpstreamTest, ALiteralAddressIsCheckedAndNotAskedFor) {
  EXPECT_EQ(Why({.names = {"127.0.0.1"}}, "127.0.0.1"), "");
  EXPECT_EQ(asked_, "");
  EXPECT_EQ(Why({.names = {"::1"}}, "[::1]"), "");
  const std::string why = Why({.names = {"127.0.0.1", "::1"}}, "127.0.0.2");
  EXPECT_TRUE(Has(why, "`127.0.0.2` was expected; it is for 127.0.0.1, 0:0:0:0:0:0:0:1"));
}

TEST_F(UpstreamTest, ServerNameOverridesTheHost) {
  UpstreamTlsConfig config = world_.Upstream();
  config.server_name = "inner.example";
  EXPECT_EQ(Why(world_.Files("inner", {.names = {"inner.example"}}), config, "127.0.0.1"), "");
  EXPECT_EQ(asked_, "inner.example");
}

TEST_F(UpstreamTest, AnotherName) {
  const std::string why = Why({.common_name = "localhost", .names = {"a.example", "b.example"}});
  EXPECT_TRUE(Has(why,
                  "the server's certificate was refused: `localhost` was expected; it is for "
                  "a.example, b.example"));
  EXPECT_TRUE(
      Has(Why({.names = {"*.corp.example"}}, "a.b.corp.example"), "it is for *.corp.example"));
}

TEST_F(UpstreamTest, Expired) {
  EXPECT_TRUE(Has(Why({.names = {"localhost"}, .ends = std::chrono::seconds(-5)}),
                  "`CN=localhost` has expired on 20"));
}

TEST_F(UpstreamTest, NotYetValid) {
  EXPECT_TRUE(Has(Why({.names = {"localhost"}, .begins = std::chrono::seconds(3600)}),
                  "`CN=localhost` is not yet valid: it begins on 20"));
}

TEST_F(UpstreamTest, WrongPurpose) {
  EXPECT_TRUE(
      Has(Why({.names = {"localhost"}, .usage = Usage::kClient}), "is not meant for this purpose"));
}

TEST_F(UpstreamTest, SelfSigned) {
  const CertificateFiles files =
      world_.folder.Write("self", TestCertificate({.names = {"localhost"}}));
  EXPECT_TRUE(Has(Why(files, world_.Upstream()), "`CN=localhost` is self-signed"));
  EXPECT_EQ(Why(files, {.ca = files.chain}), "");  // pinned
}

TEST_F(UpstreamTest, UnknownIssuer) {
  const TestCertificate other = TestAuthority("Other CA");
  const TestCertificate leaf = other.Issue({.names = {"localhost"}});
  EXPECT_TRUE(Has(Why(world_.folder.Write("other", leaf), world_.Upstream()),
                  "the issuer of `CN=localhost` is unknown: `CN=Other CA`"));
  EXPECT_TRUE(Has(Why(world_.folder.Write("whole", leaf, {other}), world_.Upstream()),
                  "its chain ends in `CN=Other CA`"));
}

TEST_F(UpstreamTest, TheSystemsStoreDoesNotKnowATestsAuthority) {
  EXPECT_TRUE(Has(Why(world_.Listener().certificates[0], {}), "`CN=Test CA`"));
}

TEST_F(UpstreamTest, AnIntermediate) {
  const TestCertificate middle =
      world_.authority.Issue({.common_name = "Middle CA", .usage = Usage::kCa});
  const TestCertificate lower = middle.Issue({.common_name = "Lower CA", .usage = Usage::kCa});
  const TestCertificate leaf = lower.Issue({.names = {"localhost"}});
  EXPECT_EQ(Why(world_.folder.Write("sorted", leaf, {lower, middle}), world_.Upstream()), "");
  EXPECT_TRUE(Has(Why(world_.folder.Write("short", leaf, {lower}), world_.Upstream()),
                  "the issuer of `CN=Lower CA` is unknown: `CN=Middle CA`"));
  // Trusted by itself, without the root.
  EXPECT_EQ(Why(world_.folder.Write("short", leaf, {lower}),
                {.ca = world_.folder.WriteText("middle.pem", middle.pem())}),
            "");
}

TEST_F(UpstreamTest, VerifyOffTakesAnything) {
  UpstreamTlsConfig config;
  config.verify = false;
  EXPECT_EQ(Why(world_.folder.Write("self", TestCertificate({})), config, ""), "");
  EXPECT_FALSE(is_verified_);
}

TEST_F(UpstreamTest, WithoutANameThereIsNothingToCheck) {
  EXPECT_TRUE(Has(TlsClient::Load(world_.Upstream(), "").error, "set tls.server_name"));
}

TEST_F(UpstreamTest, ItsOwnCertificateIsShownAndTold) {
  ListenerTlsConfig listener = world_.Listener();
  listener.client_ca = world_.ca;
  UpstreamTlsConfig config = world_.Upstream();
  config.certificate = world_.Files("own", {.common_name = "guard", .usage = Usage::kClient});
  const auto client = world_.Client(config);
  TlsPair pair(*client, *world_.Server(listener));
  pair.Handshake();
  ASSERT_TRUE(pair.is_open());
  EXPECT_EQ(pair.server.stream->peer()->subject, "CN=guard");
  ASSERT_EQ(client->certificates().size(), 1U);
  EXPECT_EQ(client->certificates()[0].subject, "CN=guard");
}

}  // namespace
}  // namespace connguard::testing
