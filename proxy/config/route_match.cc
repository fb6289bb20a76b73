// The matcher: path, host and header, in that order of cost.
#include "config/route_match.h"

#include <algorithm>
#include <span>

#include "http/text.h"

namespace connguard {
namespace {

using PathNames = std::vector<std::pair<std::string, std::string>>;

// `/a/b` is [a, b], `/a/` is [a, ""]. A target that is no path (`*`) has no segments.
std::vector<std::string_view> Segments(std::string_view path) {
  constexpr std::size_t kUsual = 8;
  std::vector<std::string_view> segments;
  if (!path.starts_with('/')) return segments;
  segments.reserve(kUsual);
  while (!path.empty()) {
    path.remove_prefix(1);
    segments.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(segments.back().size());
  }
  return segments;
}

std::optional<PathNames> MatchPath(const std::vector<PathSegment>& pattern,
                                   std::span<const std::string_view> path) {
  PathNames names;
  if (pattern.empty()) return names;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const PathSegment& want = pattern[i];
    if (want.kind == PathSegment::Kind::kRest) return names;
    if (i == path.size()) return std::nullopt;
    if (want.kind == PathSegment::Kind::kName) {
      if (path[i].empty()) return std::nullopt;
      names.emplace_back(want.text, path[i]);
    } else if (want.text != path[i]) {
      return std::nullopt;
    }
  }
  if (path.size() != pattern.size()) return std::nullopt;
  return names;
}

// The host that the request asks for, without port. An absolute-form target outranks the Host field
// (RFC 9112 §3.2.2).
std::string_view HostOf(const RequestHead& head) {
  std::string_view authority = Find(head.fields, "host").value_or("");
  const std::string_view target = head.target;
  if (const std::size_t scheme = target.find("://");
      !target.starts_with('/') && scheme != std::string_view::npos) {
    authority = target.substr(scheme + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
  }
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool MatchHeader(const HeaderMatch& want, const RequestHead& head) {
  return std::ranges::any_of(head.fields, [&](const Field& field) {
    return EqualsIgnoringCase(field.name, want.name) &&
           (want.value.empty() || field.value == want.value);
  });
}

// Whether only the guard may say what a field of this name says: the auth URL, or a certificate.
bool IsGuarded(const Config& config, const RouteConfig& route, std::string_view name) {
  const auto same = [name](const std::string& other) { return EqualsIgnoringCase(other, name); };
  const auto tells = [&](const ListenerConfig& listener) {
    return listener.tls &&
           (same(listener.tls->subject_header) || same(listener.tls->fingerprint_header));
  };
  const bool asked = route.auth && route.auth->forward;
  return std::ranges::any_of(config.listeners, tells) ||
         (asked && std::ranges::any_of(route.auth->forward->headers, same));
}

std::string HeaderValue(const Config& config, const Matched& matched, const RequestHead& head,
                        std::string_view name) {
  if (!IsGuarded(config, *matched.route, name)) {
    return std::string(Find(head.fields, name).value_or(""));
  }
  const auto added = std::ranges::find_if(matched.added_headers, [name](const AddedField& field) {
    return EqualsIgnoringCase(field.name, name);
  });
  return added != matched.added_headers.end() ? added->value : std::string();
}

std::string PartValue(const Config& config, const KeyPart& part, const Matched& matched,
                      const RequestHead& head, std::string_view client_ip) {
  switch (part.source) {
    case KeyPart::Source::kText:
      return part.name;
    case KeyPart::Source::kPath: {
      const auto found = std::ranges::find(matched.path_names, part.name,
                                           &std::pair<std::string, std::string>::first);
      return found == matched.path_names.end() ? std::string() : found->second;
    }
    case KeyPart::Source::kQuery:
      return QueryValue(QueryOf(head.target), part.name).value_or("");
    case KeyPart::Source::kHeader:
      return HeaderValue(config, matched, head, part.name);
    case KeyPart::Source::kCookie:
      return CookieValue(head.fields, part.name).value_or("");
    case KeyPart::Source::kClientIp:
      return std::string(client_ip);
    case KeyPart::Source::kJwt:
      return matched.claims ? matched.claims->Text(part.name).value_or("") : std::string();
  }
  return {};
}

std::string Fill(const Config& config, const KeyTemplate& parts, const Matched& matched,
                 const RequestHead& head, std::string_view client_ip) {
  std::string key;
  for (const KeyPart& part : parts) {
    const std::string value = PartValue(config, part, matched, head, client_ip);
    if (value.empty()) return {};
    key += value;
  }
  return key;
}

}  // namespace

std::optional<Matched> MatchRoute(const Config& config, const RequestHead& head) {
  const std::string path = PercentDecode(PathOf(head.target));
  const std::vector<std::string_view> segments = Segments(path);
  const std::string_view host = HostOf(head);
  for (const RouteConfig& route : config.routes) {
    if (!route.match.host.empty() && !EqualsIgnoringCase(route.match.host, host)) continue;
    const bool headers = std::ranges::all_of(
        route.match.headers, [&](const HeaderMatch& want) { return MatchHeader(want, head); });
    if (!headers) continue;
    if (auto names = MatchPath(route.match.path, segments)) {
      return Matched{.route = &route, .path_names = *std::move(names)};
    }
  }
  return std::nullopt;
}

std::string SessionKey(const Config& config, const Matched& matched, const RequestHead& head,
                       std::string_view client_ip) {
  for (const KeyTemplate& alternative : matched.route->session.key) {
    const std::string key = Fill(config, alternative, matched, head, client_ip);
    if (!key.empty()) return config.upstreams[matched.route->upstream].name + '\0' + key;
  }
  return {};
}

}  // namespace connguard
