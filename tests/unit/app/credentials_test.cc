// Credentials: loaded from files, and renewed by their content.
#include "app/credentials.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "support/test_certificates.h"

namespace connguard::testing {
namespace {

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    config_.listeners.resize(2);
    config_.listeners[0].tls.emplace().certificates = {
        folder_.Write("front", authority_.Issue({.common_name = "front", .names = {"localhost"}}))};
    config_.upstreams.resize(2);
    config_.upstreams[1].address.host = "localhost";
    config_.upstreams[1].tls = UpstreamTlsConfig{.ca = folder_.WriteText("ca", authority_.pem())};
    config_.routes.resize(1);
    config_.routes[0].auth.emplace().jwt =
        JwtConfig{.algorithms = {JwtAlgorithm::kHs256}, .secret = std::string(32, 's')};
  }

  std::string Subject() const { return last_->Certificates().at(0).subject; }

  CertificateFolder folder_;
  TestCertificate authority_ = TestAuthority();
  Config config_;
  CredentialStore store_;
  std::shared_ptr<const Credentials> last_;
};

TEST_F(CredentialsTest, AreThereWhereTheConfigurationAsksForThem) {
  last_ = store_.Load(config_);
  ASSERT_EQ(last_->listeners.size(), 2U);
  EXPECT_NE(last_->listeners[0], nullptr);
  EXPECT_EQ(last_->listeners[1], nullptr);
  EXPECT_EQ(last_->upstreams[0], nullptr);
  EXPECT_NE(last_->upstreams[1], nullptr);
  EXPECT_NE(last_->routes[0], nullptr);
  EXPECT_EQ(Subject(), "CN=front");
  EXPECT_EQ(CredentialFiles(config_).size(), 3U);
}

TEST_F(CredentialsTest, AFileThatIsNotThereIsNamed) {
  config_.listeners[0].tls->certificates[0].key = folder_.Path("nowhere.key");
  try {
    store_.Load(config_);
    FAIL() << "it was loaded";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere.key"), std::string::npos) << error.what();
  }
}

TEST_F(CredentialsTest, NothingIsNewWhereNoFileHasChanged) {
  last_ = store_.Load(config_);
  const CredentialStore::Renewal renewal = store_.Renew(config_);
  EXPECT_EQ(renewal.credentials, nullptr);
  EXPECT_TRUE(renewal.errors.empty());
}

TEST_F(CredentialsTest, OnlyWhatHasChangedIsMadeAnew) {
  const auto before = store_.Load(config_);
  folder_.Write("front", authority_.Issue({.common_name = "new", .names = {"localhost"}}));
  last_ = store_.Renew(config_).credentials;
  ASSERT_NE(last_, nullptr);
  EXPECT_EQ(Subject(), "CN=new");
  EXPECT_NE(last_->listeners[0], before->listeners[0]);
  EXPECT_EQ(last_->upstreams[1], before->upstreams[1]);
  EXPECT_EQ(last_->routes[0], before->routes[0]);
}

TEST_F(CredentialsTest, WhatIsBrokenStaysAsItWasAndIsToldOnce) {
  last_ = store_.Load(config_);
  const std::string sound = authority_.Issue({.common_name = "x", .names = {"localhost"}}).pem();
  folder_.WriteText("front.crt", sound);  // not of this key
  const CredentialStore::Renewal broken = store_.Renew(config_);
  EXPECT_EQ(broken.credentials, nullptr);
  ASSERT_EQ(broken.errors.size(), 1U);
  EXPECT_NE(broken.errors[0].find("front"), std::string::npos) << broken.errors[0];
  EXPECT_TRUE(store_.Renew(config_).errors.empty());
  folder_.Write("front", authority_.Issue({.common_name = "mended", .names = {"localhost"}}));
  last_ = store_.Renew(config_).credentials;
  ASSERT_NE(last_, nullptr);
  EXPECT_EQ(Subject(), "CN=mended");
}

}  // namespace
}  // namespace connguard::testing
