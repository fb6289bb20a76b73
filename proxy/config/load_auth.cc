// Tokens that a route believes, and whom it asks. Which places a token is looked for in is
// load_places's.
#include "config/load_auth.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "auth/algorithm.h"
#include "config/address.h"
#include "config/distinct.h"
#include "config/key_material.h"
#include "config/load_places.h"
#include "config/load_tls.h"
#include "http/text.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""min;

constexpr auto kAlgorithms = [] {
  std::array<Word<JwtAlgorithm>, kJwtAlgorithmNames.size()> words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = {kJwtAlgorithmNames[i], static_cast<JwtAlgorithm>(i)};
  }
  return words;
}();

void ReadAlgorithms(Section& jwt, std::vector<JwtAlgorithm>& out) {
  const std::string_view key = "algorithms";
  const std::optional<Value> list = jwt.Require(key);
  if (!list) return;
  for (const Value& item : jwt.reader().Items(*list, jwt.LabelOf(key))) {
    const std::optional<JwtAlgorithm> algorithm = jwt.WordOf<JwtAlgorithm>(item, key, kAlgorithms);
    if (!algorithm) continue;
    if (std::ranges::find(out, *algorithm) != out.end()) {
      jwt.Error(item, key, Quoted(NameOf(*algorithm)) + " is there twice");
    } else {
      out.push_back(*algorithm);
    }
  }
  if (std::ranges::any_of(out, IsShared) && !std::ranges::all_of(out, IsShared)) {
    jwt.Error(*list, key,
              "HS* must not stand beside others: who has the public key could sign with it; use "
              "two routes");
    out.clear();
  }
}

// Reports `key` where it does not belong.
void RefuseKey(Section& jwt, std::string_view key, const std::string& why) {
  if (const std::optional<Value> value = jwt.Find(key)) jwt.Error(*value, key, why);
}

void ReadSharedSecret(Section& jwt, const NamedFiles& files, std::size_t shortest,
                      std::string& out) {
  const std::optional<Value> text = jwt.Find("secret");
  const std::optional<Value> in_file = jwt.Find("secret_file");
  const std::string_view key = in_file ? "secret_file" : "secret";
  if (text && in_file) {
    jwt.Error(*in_file, key, "there is " + jwt.LabelOf("secret") + " as well; keep one");
  } else if (!text && !in_file) {
    jwt.Error("'secret' or 'secret_file' is missing: HS* need one");
  } else if (in_file ? files.ReadSecret(jwt, key, out) : jwt.ReadText(key, out)) {
    if (out.size() < shortest) {
      jwt.Error(*jwt.Find(key), key,
                "is shorter than " + std::to_string(shortest) +
                    " bytes and could be guessed; `openssl rand -hex 32` prints one");
    } else if (out.find("-----BEGIN ") != std::string::npos) {
      jwt.Error(*jwt.Find(key), key, "is PEM, which everybody may have; HS* need a secret");
    }
  }
  RefuseKey(jwt, "keys_file", "is of no use to HS*, which need a secret");
}

// True when there is a sound file.
bool ReadKeysFile(Section& jwt, const NamedFiles& files, std::string& out) {
  constexpr const char* kWhy = "is of no use but to HS*; the others need a keys_file";
  RefuseKey(jwt, "secret", kWhy);
  RefuseKey(jwt, "secret_file", kWhy);
  return jwt.Require("keys_file") && files.ReadPath(jwt, "keys_file", FileKind::kPublic, out);
}

void ReadNonEmpty(Section& section, std::string_view key, std::string& out) {
  if (section.ReadText(key, out) && out.empty()) section.Error(*section.Find(key), key, "is empty");
}

void ReadAudience(Section& jwt, std::vector<std::string>& out) {
  const std::string_view key = "audience";
  const std::optional<Value> value = jwt.Find(key);
  if (!value) return;
  std::vector<Value> items{*value};
  if (value->node.IsSequence()) items = jwt.reader().Items(*value, jwt.LabelOf(key));
  TakeDistinct(jwt, key, items, out,
               [](const std::string& text) { return NonEmpty(text, "is empty"); });
}

void ReadJwt(Section& jwt, const NamedFiles& files, JwtConfig& out) {
  ReadAlgorithms(jwt, out.algorithms);
  bool keys = false;
  if (out.algorithms.empty()) {  // reported; which key is wanted cannot be told
    for (const char* key : {"secret", "secret_file", "keys_file"}) jwt.Find(key);
  } else if (IsShared(out.algorithms.front())) {
    ReadSharedSecret(jwt, files, ShortestSecret(std::ranges::max(out.algorithms)), out.secret);
  } else {
    keys = ReadKeysFile(jwt, files, out.keys_file);
  }
  if (const std::string why = keys ? WhyUnusable(out) : ""; !why.empty()) {
    jwt.Error(*jwt.Find("keys_file"), "keys_file", why);
  }
  ReadNonEmpty(jwt, "issuer", out.issuer);
  ReadAudience(jwt, out.audiences);
  jwt.ReadDuration("leeway", out.leeway, {0ms, 10min});
  ReadPlaces(jwt, out.places);
  jwt.Finish();
}

// Where to ask. True when it is sound.
bool ReadForwardUrl(Section& forward, UpstreamConfig& upstream, std::string& target) {
  if (!forward.Require("url") || !forward.ReadText("url", upstream.url)) return false;
  const std::string& url = upstream.url;
  const auto fail = [&](const std::string& why) {
    forward.Error(*forward.Find("url"), "url", why);
    return false;
  };
  if (!IsHttps(url) && !url.starts_with("http://")) {
    return fail("expected http://host:port/path or https://host:port/path, found " + Quoted(url));
  }
  const std::size_t end = std::min(url.find_first_of("/?#", url.find("://") + 3), url.size());
  Parsed<Address> address = ParseUpstreamUrl(url.substr(0, end));
  if (!address) return fail(address.error);
  upstream.address = *std::move(address.value);
  target = url.substr(end);
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  const bool sound = std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7F; });
  if (!sound || target.find('#') != std::string::npos) {
    return fail("expected a request target such as /check behind the host, found " +
                Quoted(target));
  }
  return true;
}

Parsed<std::string> ParseFieldName(const std::string& name) {
  std::string why = FieldNameError(name);
  return why.empty() ? Parsed<std::string>::Of(name) : Parsed<std::string>::Failed(std::move(why));
}

void ReadForward(Section& forward, const NamedFiles& files, UpstreamConfig& upstream,
                 ForwardAuthConfig& out) {
  forward.Find("tls");  // known, whatever becomes of the URL
  if (ReadForwardUrl(forward, upstream, out.target)) {
    upstream.tls = ReadUpstreamTls(forward, IsHttps(upstream.url), upstream.address.host, files);
  }
  forward.ReadDuration("timeout", out.timeout, {1ms, 10min});
  ReadDistinct(forward, "headers", out.headers, ParseFieldName, EqualsIgnoringCase);
  forward.Finish();
}

}  // namespace

void ReadAuth(Section& route, const NamedFiles& files, std::vector<UpstreamConfig>& upstreams,
              RouteConfig& out) {
  std::optional<Section> auth = route.Sub("auth", "auth");
  if (!auth) return;
  out.auth.emplace();
  if (std::optional<Section> jwt = auth->Sub("jwt", "auth.jwt")) {
    out.auth->jwt.emplace();
    if (jwt->ok()) ReadJwt(*jwt, files, *out.auth->jwt);
  }
  if (std::optional<Section> forward = auth->Sub("forward", "auth.forward")) {
    out.auth->forward.emplace().upstream = upstreams.size();
    UpstreamConfig& upstream = upstreams.emplace_back();
    upstream.name = "auth:" + out.name;
    upstream.is_auth = true;
    upstream.keepalive.connections = 0;
    if (forward->ok()) ReadForward(*forward, files, upstream, *out.auth->forward);
  }
  if (auth->ok() && !out.auth->jwt && !out.auth->forward) {
    auth->Error("needs jwt, forward or both");
  }
  auth->Finish();
}

}  // namespace connguard
