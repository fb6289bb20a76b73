// Certificates of a CA that only a test knows, and PEM files of them.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/config.h"

namespace connguard::testing {

enum class KeyKind : std::uint8_t { kP256, kRsa2048, kRsa1024 };
enum class Usage : std::uint8_t { kServer, kClient, kCa };

struct CertificateWish {
  std::string common_name = "localhost";
  std::vector<std::string> names{};  // DNS names and addresses; none: no alternative names
  Usage usage = Usage::kServer;
  KeyKind key = KeyKind::kP256;
  std::chrono::seconds begins{-3600};  // from now
  std::chrono::seconds ends{24 * 3600};
};

// A certificate and its key; itself a CA when that was wished. Copies share them.
class TestCertificate {
 public:
  // Signed by itself.
  explicit TestCertificate(const CertificateWish& wish);

  TestCertificate Issue(const CertificateWish& wish) const;

  std::string pem() const;
  std::string key_pem() const;
  std::string encrypted_key_pem(const std::string& passphrase) const;
  X509* x509() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  TestCertificate(const CertificateWish& wish, const TestCertificate* issuer);

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

// A self-signed CA.
TestCertificate TestAuthority(const std::string& common_name = "Test CA");

// A temporary folder; removed in the end.
class CertificateFolder {
 public:
  CertificateFolder();
  ~CertificateFolder();
  CertificateFolder(const CertificateFolder&) = delete;
  CertificateFolder& operator=(const CertificateFolder&) = delete;

  // NAME.crt with `chain` behind the certificate, and NAME.key, for the owner only.
  CertificateFiles Write(const std::string& name, const TestCertificate& certificate,
                         const std::vector<TestCertificate>& chain = {}) const;
  // The path of the file.
  std::string WriteText(const std::string& file, std::string_view text) const;
  std::string Path(const std::string& file) const { return (path_ / file).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace connguard::testing
