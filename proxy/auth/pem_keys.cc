#include <openssl/pem.h>

#include "auth/key_file.h"
#include "auth/openssl.h"

namespace connguard {
namespace {

// One block; `der` is empty at the text's end.
struct PemBlock {
  std::string name{};
  std::string der{};
  std::string error{};
};

PemBlock NextBlock(BIO* source) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(source, &name, &header, &data, &size) != 1) {
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    return {.error = at_end ? "" : "holds a broken PEM block"};
  }
  PemBlock block{
      .name = name,
      .der = std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size))};
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  if (block.name.find("PRIVATE KEY") != std::string::npos) {
    return {.error = "holds a private key: only its public key belongs here"};
  }
  return block;
}

OpensslKey KeyOf(const PemBlock& block) {
  const auto* in = reinterpret_cast<const unsigned char*>(block.der.data());
  const unsigned char* const end = in + block.der.size();
  const auto size = static_cast<long>(block.der.size());
  OpensslKey key;
  if (block.name == "PUBLIC KEY") {
    key.reset(d2i_PUBKEY(nullptr, &in, size));
  } else if (block.name == "RSA PUBLIC KEY") {
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &in, size));
  } else {
    const OpensslCertificate certificate(d2i_X509(nullptr, &in, size));
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  }
  return in == end ? std::move(key) : OpensslKey();
}

bool IsKnown(const std::string& name) {
  return name == "PUBLIC KEY" || name == "RSA PUBLIC KEY" || name == "CERTIFICATE" ||
         name == "X509 CERTIFICATE";
}

}  // namespace

VerifyKeys ReadPemKeys(std::string_view text) {
  const OpensslErrors errors;
  const OpensslBio source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  VerifyKeys keys;
  while (true) {
    const PemBlock block = NextBlock(source.get());
    if (!block.error.empty()) return {.error = block.error};
    if (block.name.empty()) return keys;
    const std::string which = "PEM block " + std::to_string(keys.value.size() + 1) + " ";
    if (!IsKnown(block.name)) return {.error = which + "is neither a public key nor a certificate"};
    VerifyKeyResult key = VerifyKey::OfPublic(KeyOf(block));
    if (!key.value) return {.error = which + key.error};
    keys.value.push_back(std::move(*key.value));
  }
}

}  // namespace connguard
