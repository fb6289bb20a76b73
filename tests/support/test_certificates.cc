#include "support/test_certificates.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace connguard::testing {
namespace {

template <typename T>
T* Need(T* object) {
  if (object == nullptr) {
    throw std::runtime_error("OpenSSL made no test certificate");
  }
  return object;
}

EVP_PKEY* NewKey(KeyKind kind) {
  switch (kind) {
    case KeyKind::kRsa2048:
      return Need(EVP_RSA_gen(2048));
    case KeyKind::kRsa1024:
      return Need(EVP_RSA_gen(1024));
    default:
      return Need(EVP_EC_gen("P-256"));
  }
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = Need(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void AddNames(X509* certificate, const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
    list += (list.empty() ? "" : ",") + std::string(address == nullptr ? "DNS:" : "IP:") + name;
    ASN1_OCTET_STRING_free(address);
  }
  if (!list.empty()) {
    AddExtension(certificate, NID_subject_alt_name, list);
  }
}

void AddUsage(X509* certificate, Usage usage) {
  if (usage == Usage::kCa) {
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    return;
  }
  AddExtension(certificate, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate, NID_key_usage, "critical,digitalSignature,keyEncipherment");
  AddExtension(certificate, NID_ext_key_usage,
               usage == Usage::kServer ? "serverAuth" : "clientAuth");
}

std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return copy;
}

}  // namespace

TestCertificate::TestCertificate(const CertificateWish& wish) : TestCertificate(wish, nullptr) {}

TestCertificate::TestCertificate(const CertificateWish& wish, const TestCertificate* issuer)
    : key_(NewKey(wish.key), EVP_PKEY_free), certificate_(Need(X509_new()), X509_free) {
  X509* const x509 = certificate_.get();
  X509_set_version(x509, X509_VERSION_3);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), wish.begins.count());
  X509_gmtime_adj(X509_getm_notAfter(x509), wish.ends.count());
  X509_set_pubkey(x509, key_.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                             -1, 0);
  X509* const signer = issuer == nullptr ? x509 : issuer->x509();
  X509_set_issuer_name(x509, X509_get_subject_name(signer));
  AddUsage(x509, wish.usage);
  AddNames(x509, wish.names);
  if (X509_sign(x509, issuer == nullptr ? key() : issuer->key(), EVP_sha256()) == 0) {
    throw std::runtime_error("OpenSSL signed no test certificate");
  }
}

TestCertificate TestCertificate::Issue(const CertificateWish& wish) const { return {wish, this}; }

std::string TestCertificate::pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, x509());
  return TextOf(bio);
}

std::string TestCertificate::key_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key(), nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio);
}

std::string TestCertificate::encrypted_key_pem(const std::string& passphrase) const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key(), EVP_aes_256_cbc(), passphrase.data(),
                                static_cast<int>(passphrase.size()), nullptr, nullptr);
  return TextOf(bio);
}

TestCertificate TestAuthority(const std::string& common_name) {
  return TestCertificate({.common_name = common_name, .usage = Usage::kCa});
}

CertificateFolder::CertificateFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "connguard-tls-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  path_ = path;
}

CertificateFolder::~CertificateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

CertificateFiles CertificateFolder::Write(const std::string& name,
                                          const TestCertificate& certificate,
                                          const std::vector<TestCertificate>& chain) const {
  std::string text = certificate.pem();
  for (const TestCertificate& issuer : chain) {
    text += issuer.pem();
  }
  CertificateFiles files{.chain = WriteText(name + ".crt", text),
                         .key = WriteText(name + ".key", certificate.key_pem())};
  using std::filesystem::perms;
  std::filesystem::permissions(files.key, perms::owner_read | perms::owner_write);
  return files;
}

std::string CertificateFolder::WriteText(const std::string& file, std::string_view text) const {
  const std::string path = Path(file);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

}  // namespace connguard::testing
