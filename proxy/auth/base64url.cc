#include "auth/base64url.h"

#include <openssl/evp.h>

#include <algorithm>

namespace connguard {

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  if (text.empty()) return std::string();
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  const std::size_t padding = (4 - plain.size() % 4) % 4;
  if (padding == 3) return std::nullopt;
  plain.append(padding, '=');

  std::string bytes(plain.size() / 4 * 3, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(bytes.data());
  const auto* const in = reinterpret_cast<const unsigned char*>(plain.data());
  if (EVP_DecodeBlock(out, in, static_cast<int>(plain.size())) < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);

  // OpenSSL forgives much; what it would have written itself is all that is taken here.
  std::string again(plain.size() + 1, '\0');  // it ends its text with a NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(again.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  std::replace(again.begin(), again.end(), '+', '-');
  std::replace(again.begin(), again.end(), '/', '_');
  again.resize(text.size());
  return again == text ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace connguard
