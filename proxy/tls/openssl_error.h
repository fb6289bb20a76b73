// What OpenSSL has to say, in words.
#pragma once

#include <openssl/x509_vfy.h>

#include <string>
#include <string_view>
#include <vector>

namespace connguard {

// The reasons in this thread's error queue, oldest first, `; ` between them. Empties it.
std::string TakeErrors();

// RFC 4514 text, ASCII and without control characters: fit for a header.
std::string NameText(const X509_NAME* name);

// `2024-05-01 10:00:00Z`
std::string TimeText(const ASN1_TIME* time);

// The DNS names and addresses that a certificate is for: from its subject alternative names, else
// its common name. Lower case.
std::vector<std::string> NamesOf(const X509* certificate);

// Why the certificate at hand in `context` was refused, with what is needed to put it right.
// `expected`: the name that was asked for.
std::string WhyRefused(X509_STORE_CTX* context, std::string_view expected);

}  // namespace connguard
