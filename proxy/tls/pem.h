// Certificates and keys out of PEM files. Every error is one line that names the file.
#pragma once

#include <string>
#include <vector>

#include "connguard/config.h"
#include "tls/openssl_ptr.h"
#include "tls/tls_context.h"

namespace connguard {

// A certificate with its key.
struct Credential {
  CertificateFiles files{};
  std::vector<CertificatePtr> chain{};  // leaf first, then each its issuer
  KeyPtr key{};
  std::vector<std::string> names{};  // that it is for, lower case

  const X509* leaf() const { return chain.front().get(); }
};

// Empty: it worked.
std::string LoadCredential(const CertificateFiles& files, Credential& credential);
std::string LoadCertificates(const std::string& file, std::vector<CertificatePtr>& certificates);

CertificateInfo InfoOf(const Credential& credential);

}  // namespace connguard
