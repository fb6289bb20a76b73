// Routes, in the order of conf/connguard.yaml.
#include <algorithm>

#include "auth/algorithm.h"
#include "config/load_places.h"
#include "config/pattern.h"
#include "config/print_page.h"
#include "config/scalars.h"
#include "http/origin.h"
#include "http/text.h"

namespace connguard {
namespace {

void PrintMatch(const RouteMatch& match, Page& page) {
  const bool any = match.path.empty() && match.host.empty() && match.headers.empty();
  page.Line(4, any ? "match: {}" : "match:");
  if (!match.path.empty()) page.Pair(6, "path", Scalar(FormatPathPattern(match.path)));
  if (!match.host.empty()) page.Pair(6, "host", Scalar(match.host));
  if (!match.headers.empty()) page.Line(6, "header:");
  for (const HeaderMatch& header : match.headers) {
    // A key is not expanded, so its $ must not be doubled; a header's name needs no escapes.
    page.Line(8, "\"" + header.name + "\": " + Scalar(header.value));
  }
}

std::string FormatOrigin(const OriginPattern& origin) {
  if (origin.scheme.empty()) return "null";
  std::string text = origin.scheme + "://" + (origin.any_subdomain ? "*." : "") + origin.host;
  if (origin.port != DefaultPort(origin.scheme)) text += ":" + std::to_string(origin.port);
  return text;
}

void PrintJwt(const std::string& route, const JwtConfig& jwt, Page& page) {
  page.Line(6, "jwt:");
  std::vector<std::string> algorithms;
  for (const JwtAlgorithm algorithm : jwt.algorithms) algorithms.emplace_back(NameOf(algorithm));
  page.Pair(8, "algorithms", Listed(algorithms));
  // Loads only where somebody gives the variable a value: never as a secret that everybody knows.
  if (!jwt.secret.empty()) page.Pair(8, "secret", "${" + SecretVariable(route) + "}  # not shown");
  if (!jwt.keys_file.empty()) page.Pair(8, "keys_file", Scalar(jwt.keys_file));
  if (!jwt.issuer.empty()) page.Pair(8, "issuer", Scalar(jwt.issuer));
  if (!jwt.audiences.empty()) page.Pair(8, "audience", List(jwt.audiences));
  page.Pair(8, "leeway", FormatDuration(jwt.leeway));
  std::vector<std::string> places;
  for (const TokenPlace& place : jwt.places) places.push_back(FormatPlace(place, Scalar));
  page.Pair(8, "from", Listed(places));
}

void PrintAuth(const Config& config, const RouteConfig& route, Page& page) {
  if (!route.auth) return;
  page.Line(4, "auth:");
  if (route.auth->jwt) PrintJwt(route.name, *route.auth->jwt, page);
  if (!route.auth->forward) return;
  const ForwardAuthConfig& forward = *route.auth->forward;
  page.Line(6, "forward:");
  page.Pair(8, "url", Scalar(config.upstreams[forward.upstream].url));
  page.Pair(8, "timeout", FormatDuration(forward.timeout));
  page.Pair(8, "headers", List(forward.headers));
  PrintUpstreamTls(8, config.upstreams[forward.upstream], page);
}

void PrintAdmission(const Config& config, const RouteConfig& route, Page& page) {
  std::vector<std::string> origins;
  for (const OriginPattern& origin : route.origins) origins.push_back(FormatOrigin(origin));
  page.Pair(4, "origins", List(origins));
  PrintAuth(config, route, page);
  page.Pair(4, "strip_query", List(route.strip_query));
  if (!route.lift) return;
  page.Line(4, "lift:");
  page.Pair(6, "query", Scalar(route.lift->query));
  page.Pair(6, "to", "header");
  page.Pair(6, "name", Scalar(route.lift->header));
  page.Pair(6, "format", Scalar(route.lift->before + "{}" + route.lift->after));
}

void PrintSession(const SessionConfig& session, Page& page) {
  page.Line(4, "session:");
  std::vector<std::string> keys;
  for (const KeyTemplate& key : session.key) keys.push_back(FormatKeyTemplate(key));
  if (!keys.empty()) page.Pair(6, "key", List(keys));
  page.Pair(6, "methods", List(session.methods));
  page.Pair(6, "on_conflict", WordFor(session.on_conflict, kOnConflict));
  page.Pair(6, "on_drop", WordFor(session.on_drop, kOnDrop));
  page.Pair(6, "wait", FormatDuration(session.wait));
  page.Pair(6, "settle", FormatDuration(session.settle));
  if (session.barrier_path) {
    page.Line(6, "barrier:");
    page.Pair(8, "path", Scalar(*session.barrier_path));
  }
  page.Pair(6, "close_timeout", FormatDuration(session.close_timeout));
}

void PrintTurn(const TurnProfile& turn, Page& page) {
  page.Line(4, "turn:");
  if (!turn.name.empty()) page.Pair(6, "name", Scalar(turn.name));
  switch (turn.policy.end) {
    case TurnEnd::kQuiet:
      page.Pair(6, "end", "quiet");
      break;
    case TurnEnd::kEachAnswer:
      page.Pair(6, "end", "each-answer");
      break;
    case TurnEnd::kMatch:
      page.Line(6, "end:");
      page.Pair(8, "json", Scalar(turn.end_pointer));
      page.Pair(8, "in", List(turn.end_values));
      break;
  }
  page.Pair(6, "quiet", FormatDuration(turn.policy.quiet));
  page.Pair(6, "max", FormatDuration(turn.policy.max));
  page.Pair(6, "linger", FormatDuration(turn.linger));
  page.Pair(6, "window", std::to_string(turn.policy.window));
  page.Pair(6, "accept", WordFor(turn.accept_json_object, kAccepts));
}

void PrintHeartbeat(const RouteConfig& route, Page& page) {
  const auto leg = [](const HeartbeatPolicy& policy) {
    return "{interval: " + FormatDuration(policy.interval) +
           ", timeout: " + FormatDuration(policy.timeout) + "}";
  };
  page.Line(4, "heartbeat:");
  page.Pair(6, "client", leg(route.client_heartbeat));
  page.Pair(6, "upstream", leg(route.upstream_heartbeat));
  page.Pair(6, "forward", TrueOrFalse(route.forward_pings));
}

void PrintCloseCodes(const std::vector<CloseCodeChoice>& codes, Page& page) {
  page.Line(4, codes.empty() ? "close_codes: {}" : "close_codes:");
  for (const auto& [cause, code] : codes) {
    page.Pair(6, Describe(cause).word, std::to_string(static_cast<unsigned>(code)));
  }
}

}  // namespace

std::string SecretVariable(const std::string& route) {
  std::string name = "CONNGUARD_JWT_SECRET_" + route;
  std::ranges::transform(name, name.begin(), [](char c) {
    if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
    return IsAlphanumeric(c) ? c : '_';
  });
  return name;
}

void PrintRoute(const Config& config, const RouteConfig& route, Page& page) {
  page.Pair(2, "- name", Scalar(route.name));
  PrintMatch(route.match, page);
  page.Pair(4, "upstream", Scalar(config.upstreams[route.upstream].name));
  PrintAdmission(config, route, page);
  PrintSession(route.session, page);
  PrintTurn(route.turn, page);
  page.Pair(4, "compression", WordFor(route.compression, kCompression));
  PrintHeartbeat(route, page);
  PrintCloseCodes(route.close_codes, page);
}

}  // namespace connguard
