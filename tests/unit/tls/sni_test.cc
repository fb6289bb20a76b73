// Which certificate a client gets.
#include <gtest/gtest.h>

#include "unit/tls/raw_peer.h"

namespace connguard::testing {
namespace {

class SniTest : public ::testing::Test {
 protected:
  // The common name of the certificate that a client gets who asks for `name`; empty: for none.
  std::string Given(const std::string& name, const char* algorithms = nullptr) {
    RawPeer raw(TLS_client_method());
    if (algorithms != nullptr) {
      SSL_CTX_set1_sigalgs_list(raw.context(), algorithms);
    }
    if (!name.empty()) {
      SSL_set_tlsext_host_name(raw.ssl(), name.c_str());
    }
    TlsEnd server{.stream = server_->Accept()};
    raw.Exchange(server);
    if (!raw.is_open()) {
      return server.stream->error();
    }
    EXPECT_EQ(server.stream->server_name(), name);
    std::array<char, 64> text{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(raw.ssl())),
                              NID_commonName, text.data(), static_cast<int>(text.size()));
    return text.data();
  }

  TlsWorld world_;
  std::shared_ptr<const TlsServer> server_ = world_.Server(
      {.certificates = {
           world_.Files("first", {.common_name = "first", .names = {"a.example", "b.example"}}),
           world_.Files("wild", {.common_name = "wild", .names = {"*.Wild.example"}}),
           world_.Files("exact", {.common_name = "exact", .names = {"exact.wild.example"}}),
           world_.Files("bare", {.common_name = "bare.example"}),
           world_.Files("named", {.common_name = "unused.example", .names = {"named.example"}}),
           world_.Files("rsa", {.common_name = "rsa",
                                .names = {"a.example", "b.example"},
                                .key = KeyKind::kRsa2048}),
           world_.Files("late", {.common_name = "late", .names = {"b.example"}}),
       }});
};

TEST_F(SniTest, TheExactName) {
  EXPECT_EQ(Given("a.example"), "first");
  EXPECT_EQ(Given("b.example"), "first");  // not `late`: the first one wins
  EXPECT_EQ(Given("named.example"), "unused.example");
  EXPECT_EQ(Given("Named.EXAMPLE"), "unused.example");
}

TEST_F(SniTest, AWildcardIsOneLabel) {
  EXPECT_EQ(Given("some.wild.example"), "wild");
  EXPECT_EQ(Given("exact.wild.example"), "exact");
  EXPECT_EQ(Given("two.labels.wild.example"), "first");
  EXPECT_EQ(Given("wild.example"), "first");
}

TEST_F(SniTest, TheCommonNameCountsOnlyWithoutAlternatives) {
  EXPECT_EQ(Given("bare.example"), "bare.example");
  EXPECT_EQ(Given("unused.example"), "first");
}

TEST_F(SniTest, UnknownAndNoneGetTheFirst) {
  EXPECT_EQ(Given("unknown.example"), "first");
  EXPECT_EQ(Given(""), "first");
}

TEST_F(SniTest, OneNameWithTwoTypesOfKey) {
  EXPECT_EQ(Given("a.example", "rsa_pss_rsae_sha256"), "rsa");
  EXPECT_EQ(Given("a.example", "ecdsa_secp256r1_sha256"), "first");
  EXPECT_EQ(Given("", "rsa_pss_rsae_sha256"), "rsa");
  EXPECT_NE(Given("named.example", "rsa_pss_rsae_sha256").find("handshake failed"),
            std::string::npos);
}

TEST_F(SniTest, WhatIsInUseIsTold) {
  const std::vector<CertificateInfo>& infos = server_->certificates();
  ASSERT_EQ(infos.size(), 7U);
  EXPECT_EQ(infos[1].file, world_.folder.Path("wild.crt"));
  EXPECT_EQ(infos[1].subject, "CN=wild");
  const auto left = infos[1].not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::hours(23));
  EXPECT_LE(left, std::chrono::hours(24));
}

}  // namespace
}  // namespace connguard::testing
