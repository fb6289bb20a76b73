#include "tls/openssl_error.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "tls/openssl_ptr.h"

namespace connguard {
namespace {

std::string TakeText(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

// `192.0.2.1`, `2001:db8:0:0:0:0:0:1`; empty for anything else.
std::string AddressText(const ASN1_OCTET_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  std::string text;
  std::array<char, 8> part{};
  for (int i = 0; size == 4 && i < size; ++i) {
    (void)std::snprintf(part.data(), part.size(), i == 0 ? "%d" : ".%d", bytes[i]);
    text += part.data();
  }
  for (int i = 0; size == 16 && i < size; i += 2) {
    (void)std::snprintf(part.data(), part.size(), i == 0 ? "%x" : ":%x",
                        (bytes[i] << 8) | bytes[i + 1]);
    text += part.data();
  }
  return text;
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

std::string StringText(const ASN1_STRING* string) {
  return Lower({reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                static_cast<std::size_t>(ASN1_STRING_length(string))});
}

std::string CommonName(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? "" : StringText(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "no name" : text;
}

}  // namespace

std::string TakeErrors() {
  std::string text;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    std::array<char, 256> whole{};
    const char* reason = ERR_reason_error_string(code);
    if (reason == nullptr) {
      ERR_error_string_n(code, whole.data(), whole.size());
      reason = whole.data();
    }
    text += (text.empty() ? "" : "; ") + std::string(reason);
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') {
      text += " (" + std::string(data) + ")";
    }
  }
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string NameText(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  return TakeText(bio.get());
}

std::string TimeText(const ASN1_TIME* time) {
  std::tm at{};
  if (ASN1_TIME_to_tm(time, &at) != 1) {
    return "an unreadable time";
  }
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &at)};
}

std::vector<std::string> NamesOf(const X509* certificate) {
  std::vector<std::string> names;
  auto* alternatives = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool has_name = false;  // RFC 6125 §6.4.4: then the common name does not count
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS) {
      names.push_back(StringText(name->d.dNSName));
      has_name = true;
    } else if (name->type == GEN_IPADD) {
      names.push_back(AddressText(name->d.iPAddress));
      has_name = true;
    }
  }
  GENERAL_NAMES_free(alternatives);
  if (const std::string common = CommonName(certificate); !has_name && !common.empty()) {
    names.push_back(common);
  }
  return names;
}

std::string WhyRefused(X509_STORE_CTX* context, std::string_view expected) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  if (certificate == nullptr) {
    return X509_verify_cert_error_string(error);
  }
  const std::string subject = NameText(X509_get_subject_name(certificate));
  const std::string which = "`" + subject + "` ";
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return which + "has expired on " + TimeText(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return which + "is not yet valid: it begins on " + TimeText(X509_get0_notBefore(certificate));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return which + "is self-signed, and none of the CAs that are trusted here";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "its chain ends in " + which + "which is none of the CAs that are trusted here";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the issuer of " + which + "is unknown: `" +
             NameText(X509_get_issuer_name(certificate)) +
             "` is neither in the chain nor trusted here";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "`" + std::string(expected) + "` was expected; it is for " +
             Joined(NamesOf(certificate));
    case X509_V_ERR_INVALID_PURPOSE:
      return which + "is not meant for this purpose (extended key usage)";
    default:
      return which + X509_verify_cert_error_string(error);
  }
}

}  // namespace connguard
