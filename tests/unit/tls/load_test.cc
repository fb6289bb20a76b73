// Certificates and keys that cannot be used: one line that names the file and the way out.
#include <gtest/gtest.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class LoadTest : public ::testing::Test {
 protected:
  std::string Why(const CertificateFiles& files) const { return Why({.certificates = {files}}); }
  std::string Why(const ListenerTlsConfig& config) const {
    const Loaded<TlsServer> loaded = TlsServer::Load(config, world_.keys);
    EXPECT_EQ(loaded.value == nullptr, !loaded.error.empty());
    EXPECT_EQ(loaded.error.find('\n'), std::string::npos) << loaded.error;
    return loaded.error;
  }

  TlsWorld world_;
  CertificateFiles good_ = world_.Files("good", {.names = {"localhost"}});
};

TEST_F(LoadTest, Good) { EXPECT_EQ(Why(good_), ""); }

TEST_F(LoadTest, NoCertificateAtAll) {
  EXPECT_EQ(Why(ListenerTlsConfig{}), "TLS without a certificate");
}

TEST_F(LoadTest, MissingFiles) {
  const std::string none = world_.folder.Path("none");
  EXPECT_EQ(Why({.chain = none, .key = good_.key}), none + ": No such file or directory");
  EXPECT_EQ(Why({.chain = good_.chain, .key = none}), none + ": No such file or directory");
}

TEST_F(LoadTest, AFolder) {
  const std::string folder = world_.folder.Path("");
  EXPECT_TRUE(Why({.chain = folder, .key = good_.key}).starts_with(folder + ": "));
}

TEST_F(LoadTest, NotPem) {
  const std::string junk = world_.folder.WriteText("junk", "no PEM\n");
  const std::string empty = world_.folder.WriteText("empty", "");
  EXPECT_EQ(Why({.chain = junk, .key = good_.key}),
            junk + ": holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)");
  EXPECT_EQ(Why({.chain = good_.chain, .key = junk}),
            junk + ": holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`)");
  EXPECT_EQ(Why({.chain = empty, .key = good_.key}),
            empty + ": holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)");
}

TEST_F(LoadTest, BrokenPem) {
  const std::string chain = world_.folder.WriteText(
      "broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const std::string key = world_.folder.WriteText(
      "broken.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_TRUE(Why({.chain = chain, .key = good_.key})
                  .starts_with(chain + ": a certificate cannot be read: "));
  EXPECT_TRUE(Why({.chain = good_.chain, .key = key})
                  .starts_with(key + ": the private key cannot be read: "));
}

TEST_F(LoadTest, AnothersKey) {
  const CertificateFiles other = world_.Files("other", {});
  EXPECT_EQ(Why({.chain = good_.chain, .key = other.key}),
            other.key + ": is not the key of the certificate in " + good_.chain);
}

TEST_F(LoadTest, AnEncryptedKeyIsNotAskedFor) {
  const TestCertificate certificate = world_.authority.Issue({});
  const std::string chain = world_.folder.WriteText("locked.crt", certificate.pem());
  const std::string key =
      world_.folder.WriteText("locked.key", certificate.encrypted_key_pem("secret"));
  EXPECT_EQ(Why({.chain = chain, .key = key}),
            key +
                ": the key is encrypted, and nobody is here to ask for its passphrase; store it "
                "without one: openssl pkey -in " +
                key + " -out NEW");
}

TEST_F(LoadTest, AWeakKey) {
  const CertificateFiles weak = world_.Files("weak", {.key = KeyKind::kRsa1024});
  EXPECT_EQ(Why(weak), weak.chain +
                           ": its key is too weak (ee key too small); take RSA of 2048 bits or "
                           "more, or P-256");
}

TEST_F(LoadTest, AChainInAnyOrderAndWithItsKey) {
  const TestCertificate middle =
      world_.authority.Issue({.common_name = "Middle CA", .usage = Usage::kCa});
  const TestCertificate lower = middle.Issue({.common_name = "Lower CA", .usage = Usage::kCa});
  const TestCertificate leaf = lower.Issue({.names = {"localhost"}});
  const std::string all =
      world_.folder.WriteText("all.pem", lower.pem() + leaf.key_pem() + middle.pem() + leaf.pem());
  const auto server = world_.Server({.certificates = {{.chain = all, .key = all}}});
  EXPECT_EQ(server->certificates()[0].subject, "CN=localhost");
  RawPeer raw(TLS_client_method());
  TlsEnd end{.stream = server->Accept()};
  raw.Exchange(end);
  const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(raw.ssl());
  ASSERT_EQ(sk_X509_num(sent), 3);
  EXPECT_EQ(X509_cmp(sk_X509_value(sent, 0), leaf.x509()), 0);
  EXPECT_EQ(X509_cmp(sk_X509_value(sent, 1), lower.x509()), 0);
  EXPECT_EQ(X509_cmp(sk_X509_value(sent, 2), middle.x509()), 0);
}

TEST_F(LoadTest, ClientCa) {
  const std::string empty = world_.folder.WriteText("empty", "");
  EXPECT_EQ(Why({.certificates = {good_}, .client_ca = empty}),
            empty + ": holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)");
  EXPECT_EQ(Why({.certificates = {good_}, .client_ca = world_.folder.Path("none")}),
            world_.folder.Path("none") + ": No such file or directory");
}

TEST_F(LoadTest, OfAnUpstream) {
  const std::string empty = world_.folder.WriteText("empty", "");
  EXPECT_EQ(TlsClient::Load({.ca = empty}, "localhost").error,
            empty + ": holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)");
  const CertificateFiles lost{.chain = good_.chain, .key = world_.folder.Path("none")};
  EXPECT_EQ(TlsClient::Load({.ca = world_.ca, .certificate = lost}, "localhost").error,
            world_.folder.Path("none") + ": No such file or directory");
}

}  // namespace
}  // namespace connguard::testing
