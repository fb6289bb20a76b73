// The page that print-config fills, and how values stand in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/words.h"
#include "connguard/config.h"

namespace connguard {

// A scalar that the loader reads back as `text`: $ doubled, quotes where YAML might see more in it.
std::string Scalar(std::string_view text);
// `[a, b]` of scalars.
std::string List(const std::vector<std::string>& items);
// `[a, b]` of what stands for itself.
std::string Listed(const std::vector<std::string>& items);

constexpr std::string_view TrueOrFalse(bool value) { return WordFor(value, kBools); }

// Lines of YAML, one key each.
class Page {
 public:
  void Line(int indent, std::string_view text) {
    text_.append(static_cast<std::size_t>(indent), ' ').append(text).append("\n");
  }
  void Pair(int indent, std::string_view key, std::string_view value) {
    Line(indent, std::string(key) + ": " + std::string(value));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// One entry of `routes`.
void PrintRoute(const Config& config, const RouteConfig& route, Page& page);
// `tls` of an upstream, or of whom `auth.forward` asks; nothing without it.
void PrintUpstreamTls(int indent, const UpstreamConfig& upstream, Page& page);
std::string Inline(const CertificateFiles& files);

// `NAME` of the variable that stands for the secret of `route`'s tokens: CONNGUARD_JWT_SECRET_CHAT.
std::string SecretVariable(const std::string& route);

}  // namespace connguard
