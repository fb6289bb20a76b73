// Origins and the query's credentials.
#include "config/load_admission.h"

#include <algorithm>
#include <utility>

#include "config/distinct.h"
#include "config/load_tls.h"
#include "http/forwarding.h"
#include "http/origin.h"
#include "http/text.h"

namespace connguard {
namespace {

Parsed<OriginPattern> ParsePattern(const std::string& text) {
  constexpr std::string_view kAnySubdomain = "://*.";
  const std::size_t star = text.find(kAnySubdomain);
  std::string plain = text;
  if (star != std::string::npos) plain.erase(star + 3, 2);
  std::optional<OriginPattern> origin = ParseOrigin(plain);
  if (origin && !(star != std::string::npos && origin->host.starts_with('['))) {
    origin->any_subdomain = star != std::string::npos;
    return Parsed<OriginPattern>::Of(*std::move(origin));
  }
  if (text == "*") {
    return Parsed<OriginPattern>::Failed("'*' is no origin; leave origins out to admit all");
  }
  const std::size_t mark = text.find("://");
  const std::size_t path = mark == std::string::npos ? mark : text.find('/', mark + 3);
  if (path != std::string::npos) {
    return Parsed<OriginPattern>::Failed("an origin has no path; did you mean " +
                                         Quoted(text.substr(0, path)) + "?");
  }
  return Parsed<OriginPattern>::Failed(
      "expected an origin such as https://app.example, https://*.example.com:8443 or null, found " +
      Quoted(text));
}

void ReadFormat(Section& lift, LiftConfig& out) {
  constexpr std::string_view kPlace = "{}";
  std::string format(kPlace);
  if (!lift.ReadText("format", format) && lift.Find("format")) return;
  const std::size_t place = format.find(kPlace);
  const auto is_ascii = [](char c) { return c >= ' ' && c <= '~'; };
  if (place == std::string::npos || format.find(kPlace, place + 1) != std::string::npos) {
    lift.Error(*lift.Find("format"), "format",
               "must have {} once, where the value goes, found " + Quoted(format));
  } else if (!std::ranges::all_of(format, is_ascii)) {
    lift.Error(*lift.Find("format"), "format", "must be ASCII, found " + Quoted(format));
  } else {
    out.before = format.substr(0, place);
    out.after = format.substr(place + kPlace.size());
  }
}

void ReadLift(Section& route, std::optional<LiftConfig>& out) {
  std::optional<Section> lift = route.Sub("lift", "lift");
  if (!lift) return;
  out.emplace();
  constexpr Word<bool> kTo[] = {{"header", true}};
  bool to_header = true;
  if (lift->Require("query") && lift->ReadText("query", out->query) && out->query.empty()) {
    lift->Error(*lift->Find("query"), "query", "is empty; name a query parameter");
  }
  if (lift->Require("to")) lift->ReadWord("to", to_header, kTo);
  if (lift->Require("name")) ReadFieldName(*lift, "name", out->header);
  ReadFormat(*lift, *out);
  lift->Finish();
}

// Where a request may say who it is, and the upstream would read what `lift` puts there.
bool IsTakenOver(const TokenPlace& place, const LiftConfig& lift) {
  switch (place.kind) {
    case TokenPlace::Kind::kBearer:
      return EqualsIgnoringCase(lift.header, "Authorization");
    case TokenPlace::Kind::kHeader:
      return EqualsIgnoringCase(lift.header, place.name);
    case TokenPlace::Kind::kQuery:
      return place.name == lift.query;
    case TokenPlace::Kind::kCookie:
    case TokenPlace::Kind::kSubprotocol:
      return false;
  }
  return false;
}

void CheckUnchecked(Section& section, const RouteConfig& route) {
  if (!route.lift || !route.auth || !route.auth->jwt) return;
  const LiftConfig& lift = *route.lift;
  const std::vector<TokenPlace>& places = route.auth->jwt->places;
  const bool taken_over = std::ranges::any_of(
      places, [&lift](const TokenPlace& place) { return IsTakenOver(place, lift); });
  const bool first = !places.empty() && places.front().kind == TokenPlace::Kind::kQuery &&
                     places.front().name == lift.query;
  if (!taken_over || first) return;
  section.Error(*section.Find("lift"), "lift",
                "would put a token that auth.jwt has not checked in the place of one that it has; "
                "let auth.jwt.from begin with {query: " +
                    lift.query + "}");
}

}  // namespace

void ReadAdmission(Section& route, RouteConfig& out) {
  ReadDistinct(route, "origins", out.origins, ParsePattern);
  ReadDistinct(route, "strip_query", out.strip_query, [](const std::string& name) {
    return NonEmpty(name, "is empty; name a query parameter");
  });
  ReadLift(route, out.lift);
}

void CheckLift(Section& section, const std::vector<ListenerConfig>& listeners,
               const RouteConfig& route) {
  if (!route.lift || route.lift->header.empty()) return;
  CheckUnchecked(section, route);
  std::vector<std::pair<std::string, std::string>> spoken;  // the header, who speaks in it
  for (const ListenerConfig& listener : listeners) {
    if (!listener.tls) continue;
    spoken.emplace_back(listener.tls->subject_header, "listeners.tls.subject_header");
    spoken.emplace_back(listener.tls->fingerprint_header, "listeners.tls.fingerprint_header");
  }
  if (route.auth && route.auth->forward) {
    for (const std::string& name : route.auth->forward->headers) {
      spoken.emplace_back(name, "auth.forward.headers");
    }
  }
  const auto taken = std::ranges::find_if(
      spoken, [&](const auto& one) { return SameToGateways(one.first, route.lift->header); });
  std::optional<Section> lift = taken == spoken.end() ? std::nullopt : section.Sub("lift", "lift");
  if (!lift) return;
  lift->Error(*lift->Find("name"), "name",
              Quoted(route.lift->header) + " is in " + taken->second +
                  ": any client could say it by its query");
}

}  // namespace connguard
