#include "tls/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "tls/openssl_error.h"

namespace connguard {
namespace {

// The text of a file, which may be a key: wiped.
struct Secret {
  std::string text{};

  Secret() = default;
  ~Secret() { OPENSSL_cleanse(text.data(), text.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  BioPtr Bio() const { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }
};

constexpr std::uintmax_t kMostBytes = 16UL * 1024 * 1024;

std::string ReadFile(const std::string& file, Secret& secret) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) {
    return file + ": " + error.message();
  }
  if (size > kMostBytes) {
    return file + ": is too big for a PEM file";
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  secret.text.resize(size);
  if (!stream.read(secret.text.data(), static_cast<std::streamsize>(size))) {
    return file + ": " + (errno == 0 ? "cannot be read" : std::generic_category().message(errno));
  }
  return {};
}

// Instead of OpenSSL's, which asks on the terminal.
int OnPassphrase(char* /*buffer*/, int /*size*/, int /*writes*/, void* was_asked) noexcept {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

std::string LoadKey(const std::string& file, KeyPtr& key) {
  Secret secret;
  if (std::string error = ReadFile(file, secret); !error.empty()) {
    return error;
  }
  bool is_encrypted = false;
  key.reset(PEM_read_bio_PrivateKey(secret.Bio().get(), nullptr, OnPassphrase, &is_encrypted));
  const std::string why = TakeErrors();
  if (key) {
    return {};
  }
  if (is_encrypted) {
    return file +
           ": the key is encrypted, and nobody is here to ask for its passphrase; store it " +
           "without one: openssl pkey -in " + file + " -out NEW";
  }
  if (secret.text.find("PRIVATE KEY-----") == std::string::npos) {
    return file + ": holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`)";
  }
  return file + ": the private key cannot be read: " + why;
}

// Puts each issuer behind what it has signed: some clients insist on it (RFC 5246 §7.4.2).
void Sort(std::vector<CertificatePtr>& chain) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const auto issuer =
        std::find_if(chain.begin() + static_cast<std::ptrdiff_t>(i) + 1, chain.end(),
                     [&](const CertificatePtr& candidate) {
                       return X509_check_issued(candidate.get(), chain[i].get()) == X509_V_OK;
                     });
    if (issuer != chain.end()) {
      std::swap(chain[i + 1], *issuer);
    }
  }
}

}  // namespace

std::string LoadCertificates(const std::string& file, std::vector<CertificatePtr>& certificates) {
  Secret secret;
  if (std::string error = ReadFile(file, secret); !error.empty()) {
    return error;
  }
  const BioPtr bio = secret.Bio();
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = TakeErrors();
  if (!is_end) {
    return file + ": a certificate cannot be read: " + why;
  }
  if (certificates.empty()) {
    return file + ": holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)";
  }
  return {};
}

std::string LoadCredential(const CertificateFiles& files, Credential& credential) {
  credential.files = files;
  if (std::string error = LoadCertificates(files.chain, credential.chain); !error.empty()) {
    return error;
  }
  if (std::string error = LoadKey(files.key, credential.key); !error.empty()) {
    return error;
  }
  const auto leaf = std::ranges::find_if(credential.chain, [&](const CertificatePtr& certificate) {
    return X509_check_private_key(certificate.get(), credential.key.get()) == 1;
  });
  ERR_clear_error();
  if (leaf == credential.chain.end()) {
    return files.key + ": is not the key of the certificate in " + files.chain;
  }
  std::swap(*leaf, credential.chain.front());
  Sort(credential.chain);
  credential.names = NamesOf(credential.leaf());
  return {};
}

CertificateInfo InfoOf(const Credential& credential) {
  using std::chrono::sys_days;
  std::tm at{};
  ASN1_TIME_to_tm(X509_get0_notAfter(credential.leaf()), &at);
  const auto day = std::chrono::year(at.tm_year + 1900) / (at.tm_mon + 1) / at.tm_mday;
  return {.file = credential.files.chain,
          .subject = NameText(X509_get_subject_name(credential.leaf())),
          .not_after = sys_days(day) + std::chrono::hours(at.tm_hour) +
                       std::chrono::minutes(at.tm_min) + std::chrono::seconds(at.tm_sec)};
}

}  // namespace connguard
