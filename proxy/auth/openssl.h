// OpenSSL's objects, owned; and its queue of errors, left as it was found.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

namespace connguard {

template <auto kFree>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

template <typename T, auto kFree>
using Openssl = std::unique_ptr<T, OpensslDeleter<kFree>>;

using OpensslBio = Openssl<BIO, BIO_free>;
using OpensslNumber = Openssl<BIGNUM, BN_free>;
using OpensslKey = Openssl<EVP_PKEY, EVP_PKEY_free>;
using OpensslKeyContext = Openssl<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using OpensslDigest = Openssl<EVP_MD_CTX, EVP_MD_CTX_free>;
using OpensslParameters = Openssl<OSSL_PARAM, OSSL_PARAM_free>;
using OpensslParameterBuild = Openssl<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using OpensslCertificate = Openssl<X509, X509_free>;
using OpensslEcdsa = Openssl<ECDSA_SIG, ECDSA_SIG_free>;

// A thread's TLS connections read the same queue: what fails here must not look like theirs.
class OpensslErrors {
 public:
  OpensslErrors() { ERR_set_mark(); }
  ~OpensslErrors() { ERR_pop_to_mark(); }
  OpensslErrors(const OpensslErrors&) = delete;
  OpensslErrors& operator=(const OpensslErrors&) = delete;
};

}  // namespace connguard
