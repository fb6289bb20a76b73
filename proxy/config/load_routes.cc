// Routes: match, upstream, session, turn, heartbeat, close codes.
#include "config/load_routes.h"

#include <algorithm>

#include "config/address.h"
#include "config/load_admission.h"
#include "config/load_auth.h"
#include "config/name_check.h"
#include "config/pattern.h"
#include "config/suggest.h"
#include "ws/control_frame.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

bool ReadPath(Section& match, RouteMatch& out) {
  std::string text;
  if (!match.ReadText("path", text)) return !match.Find("path");
  Parsed<std::vector<PathSegment>> path = ParsePathPattern(text);
  if (path) {
    out.path = *std::move(path.value);
  } else {
    match.Error(*match.Find("path"), "path", path.error);
  }
  return path.value.has_value();
}

bool ReadHost(Section& match, RouteMatch& out) {
  std::string text;
  if (!match.ReadText("host", text)) return !match.Find("host");
  // A literal IPv6 host keeps its brackets, as in a Host field.
  const bool v6 = text.starts_with('[') && ParseAddress(text + ":0", true);
  if (!v6 && !IsHost(text)) {
    match.Error(*match.Find("host"), "host",
                "expected a host without port or wildcard, found " + Quoted(text));
    return false;
  }
  out.host = Lower(std::move(text));
  return true;
}

bool ReadHeaders(Section& match, RouteMatch& out) {
  const std::optional<Value> value = match.Find("header");
  if (!value) return true;
  bool sound = value->node.IsMap();
  for (const Entry& entry : match.reader().Entries(*value, match.LabelOf("header"))) {
    const std::string& name = entry.key.Scalar();
    const Value place{entry.key, entry.key.Mark()};
    const bool twice = std::ranges::any_of(
        out.headers, [&](const HeaderMatch& other) { return Lower(other.name) == Lower(name); });
    if (!IsToken(name)) {
      match.Error(place, "header", Quoted(name) + " cannot be the name of a header");
      sound = false;
    } else if (twice) {
      match.Error(place, "header", Quoted(name) + " is there twice");
      sound = false;
    }
    std::optional<std::string> text =
        match.reader().Text(entry.value, match.LabelOf("header") + "." + name);
    sound = sound && text;
    out.headers.push_back({name, std::move(text).value_or("")});
  }
  return sound;
}

// Returns whether the match is sound, so that later checks can build on it.
bool ReadMatch(Section& route, RouteMatch& out) {
  std::optional<Section> match = route.Sub("match", "match");
  if (!match) return true;
  const bool path = ReadPath(*match, out);
  const bool host = ReadHost(*match, out);
  const bool headers = ReadHeaders(*match, out);
  match->Finish();
  return match->ok() && path && host && headers;
}

// {jwt.x} of a token that nobody has checked would be anybody's session.
std::string TokenError(const KeyTemplate& key, const RouteConfig& route) {
  const auto claim = std::ranges::find(key, KeyPart::Source::kJwt, &KeyPart::source);
  if (claim == key.end() || (route.auth && route.auth->jwt)) return {};
  return "{jwt." + claim->name +
         "} needs auth.jwt on this route, which says whose tokens to believe";
}

void ReadKey(Section& session, RouteConfig& route) {
  const std::optional<Value> key = session.Find("key");
  if (!key) return;
  std::vector<Value> alternatives{*key};
  if (key->node.IsSequence()) {
    alternatives = session.reader().Items(*key, session.LabelOf("key"));
  }
  for (const Value& alternative : alternatives) {
    const auto text = session.reader().Text(alternative, session.LabelOf("key"));
    if (!text) continue;
    Parsed<KeyTemplate> parsed = ParseKeyTemplate(*text, route.match.path);
    if (parsed) parsed.error = TokenError(*parsed.value, route);
    if (parsed.error.empty()) {
      route.session.key.push_back(*std::move(parsed.value));
    } else {
      session.Error(alternative, "key", parsed.error);
    }
  }
}

// Methods are compared with case, and all that are in use are in upper case: `post` would fence
// nothing. Empty when `method` is sound.
std::string MethodError(const std::string& method) {
  const std::string upper = Upper(method);
  if (upper == "CONNECT") return Quoted(method) + " is not supported";
  if (!IsToken(method)) return Quoted(method) + " cannot be the name of a method";
  if (upper == method) return {};
  return Quoted(method) + " must be in upper case; did you mean " + Quoted(upper) + "?";
}

void ReadMethods(Section& session, SessionConfig& out) {
  const std::string_view key = "methods";
  const std::optional<Value> list = session.Find(key);
  if (!list) return;
  const std::vector<Value> items = session.reader().ItemsOrNone(*list, session.LabelOf(key));
  if (!items.empty() && !session.Find("key")) {
    session.Error(*list, key, "needs a session.key: without one nothing is fenced");
  }
  for (const Value& item : items) {
    std::optional<std::string> method = session.reader().Text(item, session.LabelOf(key));
    if (!method) continue;
    if (const std::string error = MethodError(*method); !error.empty()) {
      session.Error(item, key, error);
    } else if (std::ranges::find(out.methods, *method) != out.methods.end()) {
      session.Error(item, key, Quoted(*method) + " is there twice");
    } else {
      out.methods.push_back(*std::move(method));
    }
  }
}

void ReadBarrier(Section& session, SessionConfig& out) {
  std::optional<Section> barrier = session.Sub("barrier", session.LabelOf("barrier"));
  if (!barrier) return;
  std::string path;
  barrier->Require("path");
  if (barrier->ReadText("path", path)) {
    const bool sound = path.starts_with('/') && std::ranges::all_of(path, [](char c) {
                         return c > ' ' && c < 0x7F && c != '#';
                       });
    if (!sound) {
      barrier->Error(*barrier->Find("path"), "path",
                     "expected a request target such as /health, found " + Quoted(path));
    }
    out.barrier_path = path;
  }
  barrier->Finish();
}

void ReadSession(Section& section, bool sound_match, RouteConfig& route) {
  std::optional<Section> session = section.Sub("session", "session");
  if (!session) return;
  SessionConfig& out = route.session;
  if (sound_match) {
    ReadKey(*session, route);
  } else {
    session->Find("key");
  }
  ReadMethods(*session, out);
  session->ReadWord("on_conflict", out.on_conflict, kOnConflict);
  session->ReadWord("on_drop", out.on_drop, kOnDrop);
  session->ReadDuration("wait", out.wait, {0ms, 1h});
  session->ReadDuration("settle", out.settle, {0ms, 1min});
  session->ReadDuration("close_timeout", out.close_timeout, {1ms, 10min});
  ReadBarrier(*session, out);
  session->Finish();
}

void ReadLeg(Section& heartbeat, std::string_view leg, HeartbeatPolicy& out) {
  std::optional<Section> section = heartbeat.Sub(leg, heartbeat.LabelOf(leg));
  if (!section) return;
  section->ReadDuration("interval", out.interval, {0ms, 1h});
  section->ReadDuration("timeout", out.timeout, {1ms, 1h});
  section->Finish();
}

void ReadHeartbeat(Section& route, RouteConfig& out) {
  std::optional<Section> heartbeat = route.Sub("heartbeat", "heartbeat");
  if (!heartbeat) return;
  ReadLeg(*heartbeat, "client", out.client_heartbeat);
  ReadLeg(*heartbeat, "upstream", out.upstream_heartbeat);
  heartbeat->ReadBool("forward", out.forward_pings);
  heartbeat->Finish();
}

// Causes after which a client can be told something, and that are not the peers' own word.
bool MayBeChosen(const CloseCauseRow& row) {
  return row.to_client != CloseCode::kNone && row.to_client != CloseCode::kAbnormal &&
         row.to_client != CloseCode::kBadGateway;
}

void ReadCloseCodes(Section& route, std::vector<CloseCodeChoice>& out) {
  std::optional<Section> codes = route.Sub("close_codes", "close_codes");
  if (!codes) return;
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    const CloseCauseRow& row = Describe(static_cast<CloseCause>(i));
    std::uint64_t number = 0;
    if (!MayBeChosen(row) || !codes->ReadCount(row.word, number, {1000, 4999})) continue;
    const auto code = static_cast<CloseCode>(number);
    if (MayBeSent(code)) {
      out.push_back({row.cause, code});
    } else {
      codes->Error(*codes->Find(row.word), row.word,
                   std::to_string(number) + " must not be sent (1000-1003, 1007-1014, 3000-4999)");
    }
  }
  codes->Finish();
}

std::size_t ReadUpstreamName(Section& route, const std::vector<UpstreamConfig>& upstreams) {
  std::string name;
  route.Require("upstream");
  if (!route.ReadText("upstream", name)) return 0;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    if (upstreams[i].is_auth) continue;
    if (upstreams[i].name == name) return i;
    names.push_back(upstreams[i].name);
  }
  route.Error(*route.Find("upstream"), "upstream",
              "unknown upstream " + Quoted(name) + DidYouMean(name, names));
  return 0;
}

}  // namespace

std::vector<RouteConfig> ReadRoutes(Section& root, Config& config, TurnReader& turns,
                                    const NamedFiles& files) {
  std::vector<RouteConfig> routes;
  const std::optional<Value> list = root.Require("routes");
  if (!list) return routes;
  NameCheck names;
  std::vector<const RouteConfig*> sound;
  const std::vector<Value> items = root.reader().Items(*list, "routes");
  routes.reserve(items.size());  // `sound` points into it
  for (const Value& item : items) {
    Section section(root.reader(), item, "routes", "routes");
    if (!section.ok()) continue;
    RouteConfig& route = routes.emplace_back();
    section.ReadName("name", route.name);
    names.Add(section, route.name);
    const bool sound_match = ReadMatch(section, route.match);
    route.upstream = ReadUpstreamName(section, config.upstreams);
    ReadAdmission(section, route);
    ReadAuth(section, files, config.upstreams, route);
    CheckLift(section, config.listeners, route);
    ReadSession(section, sound_match, route);
    route.turn = turns.Read(section);
    section.ReadWord("compression", route.compression, kCompression);
    ReadHeartbeat(section, route);
    ReadCloseCodes(section, route.close_codes);
    section.Finish();
    if (!sound_match) continue;
    const auto cover = std::ranges::find_if(
        sound, [&](const RouteConfig* earlier) { return Covers(earlier->match, route.match); });
    if (cover != sound.end()) {
      section.Error(Quoted(route.name) + " can never match: " + Quoted((*cover)->name) +
                    " before it takes all of its requests");
    }
    sound.push_back(&route);
  }
  return routes;
}

}  // namespace connguard
