// Host, Origin and Authorization.
#include "admin/access.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <string>

#include "config/address.h"
#include "config/cidr.h"

namespace connguard {
namespace {

constexpr auto kProbes =
    std::to_array<std::string_view>({"/livez", "/healthz", "/readyz", "/drainz"});

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool SameText(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return Lower(x) == Lower(y); });
}

// Without port and brackets; empty when it is neither.
std::string_view NameOf(std::string_view host) {
  if (!host.starts_with('[')) return host.substr(0, host.rfind(':'));
  const std::size_t close = host.find(']');
  if (close == std::string_view::npos) return {};
  const bool ends = close + 1 == host.size() || host[close + 1] == ':';
  return ends ? host.substr(1, close - 1) : std::string_view();
}

// A browser that was made to take another site's name for this machine's sends that name. Where
// there is a token the other site does not know it, and no browser speaks to a unix socket.
bool IsRebound(const AdminRequest& request, const AdminConfig& config) {
  if (!config.token.empty() || config.bind.is_unix() || !request.host) return false;
  const std::string_view name = NameOf(*request.host);
  return !SameText(name, "localhost") && !SameText(name, config.bind.host) && !ParseIp(name);
}

bool IsCrossSite(const AdminRequest& request) {
  if (request.safe() || !request.origin) return false;
  std::string_view origin = *request.origin;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    origin.remove_prefix(scheme.size());
    return !request.host || !SameText(origin, *request.host);
  }
  return true;
}

// True without a token, as well.
bool Bears(const std::optional<std::string>& authorization, const std::string& token) {
  if (token.empty()) return true;
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization || authorization->size() != kScheme.size() + token.size()) return false;
  return SameText(std::string_view(*authorization).substr(0, kScheme.size()), kScheme) &&
         CRYPTO_memcmp(authorization->data() + kScheme.size(), token.data(), token.size()) == 0;
}

}  // namespace

bool IsProbe(std::string_view path) { return std::ranges::find(kProbes, path) != kProbes.end(); }

std::optional<AdminAnswer> RefusalOf(const AdminRequest& request, const AdminConfig& config,
                                     bool open) {
  if (IsProbe(request.path)) return std::nullopt;
  if (IsRebound(request, config)) {
    return Problem(403, "Forbidden",
                   "Without admin.token the Host must be localhost, an IP address or the name that "
                   "admin.bind says.");
  }
  if (IsCrossSite(request)) {
    return Problem(403, "Forbidden", "Pages of other origins cannot change anything here.");
  }
  if (open || Bears(request.authorization, config.token)) return std::nullopt;
  AdminAnswer answer = Problem(401, "Unauthorized",
                               "This needs `Authorization: Bearer` and the token of admin.token.");
  answer.fields.emplace_back("www-authenticate", request.authorization
                                                     ? "Bearer realm=\"connguard\", "
                                                       "error=\"invalid_token\""
                                                     : "Bearer realm=\"connguard\"");
  return answer;
}

bool IsTrusted(const AdminRequest& request, const AdminConfig& config) {
  return !IsRebound(request, config) && Bears(request.authorization, config.token);
}

}  // namespace connguard
