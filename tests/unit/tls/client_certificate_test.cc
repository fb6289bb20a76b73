// A listener with client_ca.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class ClientCertificateTest : public ::testing::Test {
 protected:
  ListenerTlsConfig Mutual() const {
    ListenerTlsConfig config = world_.Listener();
    config.client_ca = world_.ca;
    return config;
  }
  // A handshake with a client that has this certificate.
  std::unique_ptr<TlsPair> Connect(std::optional<CertificateFiles> files) {
    UpstreamTlsConfig config = world_.Upstream();
    config.certificate = std::move(files);
    client_ = world_.Client(config);
    auto pair = std::make_unique<TlsPair>(*client_, *server_);
    pair->Handshake();
    return pair;
  }
  std::string Refusal(const TestCertificate& certificate) {
    const auto pair = Connect(world_.folder.Write("client", certificate));
    EXPECT_EQ(pair->server.stream->status(), Status::kFailed);
    EXPECT_FALSE(pair->server.stream->peer());
    EXPECT_EQ(pair->client.stream->status(), Status::kFailed) << "no alert";
    return pair->server.stream->error();
  }

  TlsWorld world_;
  std::shared_ptr<const TlsServer> server_ = world_.Server(Mutual());
  std::shared_ptr<const TlsClient> client_;
};

TEST_F(ClientCertificateTest, AGoodOneIsTold) {
  const TestCertificate certificate =
      world_.authority.Issue({.common_name = "J\u00f6rg, \"x\"\n", .usage = Usage::kClient});
  const auto pair = Connect(world_.folder.Write("client", certificate));
  ASSERT_TRUE(pair->is_open()) << pair->server.stream->error();
  const std::optional<PeerCertificate> peer = pair->server.stream->peer();
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->subject, R"(CN=J\C3\B6rg\, \"x\"\0A)");
  EXPECT_EQ(peer->fingerprint.size(), 64U);
  EXPECT_EQ(peer->fingerprint.find_first_not_of("0123456789abcdef"), std::string::npos);
  std::array<unsigned char, 32> digest{};
  X509_digest(certificate.x509(), EVP_sha256(), digest.data(), nullptr);
  EXPECT_EQ(std::stoul(peer->fingerprint.substr(0, 2), nullptr, 16), digest[0]);
  EXPECT_EQ(std::stoul(peer->fingerprint.substr(62), nullptr, 16), digest[31]);
  EXPECT_EQ(pair->client.stream->peer()->subject, "CN=localhost");
}

TEST_F(ClientCertificateTest, NoneIsRefused) {
  const auto pair = Connect(std::nullopt);
  EXPECT_EQ(pair->server.stream->status(), Status::kFailed);
  EXPECT_EQ(pair->server.stream->error(),
            "the TLS handshake failed: peer did not return a certificate");
  EXPECT_NE(pair->client.stream->error().find("certificate required"), std::string::npos);
}

TEST_F(ClientCertificateTest, AnotherAuthoritysIsRefused) {
  const std::string why =
      Refusal(TestAuthority("Another CA").Issue({.common_name = "eve", .usage = Usage::kClient}));
  EXPECT_NE(why.find("the client's certificate was refused: the issuer of `CN=eve` is unknown: "
                     "`CN=Another CA`"),
            std::string::npos)
      << why;
}

TEST_F(ClientCertificateTest, AServersIsRefused) {
  EXPECT_NE(Refusal(world_.authority.Issue({.usage = Usage::kServer})).find("not meant for"),
            std::string::npos);
}

TEST_F(ClientCertificateTest, AnExpiredOneIsRefused) {
  const std::string why =
      Refusal(world_.authority.Issue({.usage = Usage::kClient, .ends = std::chrono::seconds(-60)}));
  EXPECT_NE(why.find("has expired on 20"), std::string::npos) << why;
}

TEST_F(ClientCertificateTest, TheTrustedNamesAreSent) {
  RawPeer raw(TLS_client_method());
  TlsEnd server{.stream = server_->Accept()};
  raw.Exchange(server);
  const STACK_OF(X509_NAME)* names = SSL_get0_peer_CA_list(raw.ssl());
  ASSERT_EQ(sk_X509_NAME_num(names), 1);
  EXPECT_EQ(
      X509_NAME_cmp(sk_X509_NAME_value(names, 0), X509_get_subject_name(world_.authority.x509())),
      0);
}

TEST_F(ClientCertificateTest, AListenerWithoutClientCaTellsNoPeer) {
  server_ = world_.Server();
  const auto pair = Connect(world_.Files("client", {.usage = Usage::kClient}));
  ASSERT_TRUE(pair->is_open());
  EXPECT_FALSE(pair->server.stream->peer());
}

}  // namespace
}  // namespace connguard::testing
