// The forwarding rules: one table, and what they need to know.
#include "http/forwarding.h"

#include <algorithm>
#include <array>
#include <vector>

#include "http/extensions.h"
#include "http/text.h"

namespace connguard {
namespace {

using std::string_view_literals::operator""sv;  // no length is looked for
using Fields = std::vector<Field>;

// What becomes of a field.
enum class Fate : std::uint8_t {
  kPass,      // goes on, unless Connection names it
  kKeep,      // goes on, whatever Connection names: the message would mean something else without
  kStop,      // of this hop only
  kOurs,      // of this hop only; the proxy says its own
  kUpgrade,   // what to upgrade to: only where there is an upgrade
  kTrailers,  // `trailers` is the one word that holds for the whole way (RFC 9110 §10.1.4)
  kExpect,    // not from HTTP/1.0 (RFC 9110 §10.1.1)
  kOffer,     // WebSocket extensions: on request none is offered, or only permessage-deflate
  kLength,    // as kKeep, but not with a status that has no body
  kCoding,    // likewise, and HTTP/1.0 knows no transfer codings
  kClaim,     // where a request comes from: believed of trusted peers only
  kTrace,     // goes on, whatever Connection names, unless a trace begins here
  kHost,      // an absolute target's authority takes its place
};

struct Rule {
  std::string_view name;
  Fate request;
  Fate response;
};

// Other fields pass. `Sec-WebSocket-*` is kept and `X-Forwarded-*` is a claim, whatever follows.
constexpr auto kRules = std::to_array<Rule>({
    {"Connection", Fate::kOurs, Fate::kOurs},
    {"Keep-Alive", Fate::kStop, Fate::kStop},
    {"Proxy-Connection", Fate::kStop, Fate::kStop},
    {"Proxy-Authenticate", Fate::kStop, Fate::kStop},
    {"Proxy-Authorization", Fate::kStop, Fate::kStop},
    {"TE", Fate::kTrailers, Fate::kStop},
    {"Upgrade", Fate::kUpgrade, Fate::kUpgrade},
    {"Transfer-Encoding", Fate::kKeep, Fate::kCoding},
    {"Trailer", Fate::kPass, Fate::kCoding},
    {"Content-Length", Fate::kKeep, Fate::kLength},
    {"Host", Fate::kHost, Fate::kPass},
    {"Expect", Fate::kExpect, Fate::kPass},
    {"Sec-WebSocket-Extensions", Fate::kOffer, Fate::kKeep},
    {"Forwarded", Fate::kClaim, Fate::kPass},
    {"traceparent", Fate::kTrace, Fate::kPass},
    {"tracestate", Fate::kTrace, Fate::kPass},
});

constexpr std::string_view kWebSocketPrefix = "Sec-WebSocket-";
constexpr std::string_view kClaimPrefix = "X-Forwarded-";

bool IsClaim(std::string_view name) {
  return SameToGateways(name.substr(0, kClaimPrefix.size()), kClaimPrefix);
}

// The proxy's own word takes the place of the client's.
bool IsReplaced(std::string_view name, const RequestHop& hop) {
  return std::ranges::any_of(hop.removed,
                             [&](std::string_view other) { return SameToGateways(name, other); }) ||
         std::ranges::any_of(
             hop.added, [&](const AddedField& other) { return SameToGateways(name, other.name); });
}

// The fields that `fields`' Connection names: they belong to this hop (RFC 9110 §7.6.1).
class NamedFields {
 public:
  explicit NamedFields(const Fields& fields) {
    for (const Field& field : fields) {
      if (!EqualsIgnoringCase(field.name, "Connection")) continue;
      std::string_view rest = field.value;
      while (!rest.empty()) names_.push_back(Trim(TakeUntil(rest, ',')));
    }
  }
  bool Has(std::string_view name) const {
    return std::ranges::any_of(
        names_, [name](std::string_view other) { return EqualsIgnoringCase(name, other); });
  }

 private:
  std::vector<std::string_view> names_;
};

Fate FateOf(std::string_view name, Fate Rule::* side, const NamedFields& named) {
  Fate fate = Fate::kPass;
  const auto* rule = std::ranges::find_if(
      kRules, [name](const Rule& other) { return EqualsIgnoringCase(name, other.name); });
  if (rule != kRules.end()) {
    fate = rule->*side;
  } else if (EqualsIgnoringCase(name.substr(0, kWebSocketPrefix.size()), kWebSocketPrefix)) {
    fate = Fate::kKeep;
  } else if (side == &Rule::request && IsClaim(name)) {
    fate = Fate::kClaim;
  }
  return fate == Fate::kPass && named.Has(name) ? Fate::kStop : fate;
}

// RFC 9112 §3.2.2: an absolute target's authority counts, and an origin gets a path.
RequestTarget TargetOf(const RequestHead& head, const std::string& whole) {
  const std::optional<AbsoluteTarget> absolute = ParseAbsolute(whole);
  if (!absolute) return {whole, Find(head.fields, "Host").value_or("")};
  std::string target(absolute->path_and_query);
  if (target.empty() && head.method == "OPTIONS") {
    target = "*";
  } else if (!target.starts_with('/')) {
    target.insert(target.begin(), '/');
  }
  return {std::move(target), absolute->authority};
}

// `field`'s values of all lines, as one list that ends with `last`.
std::string ListOf(const Fields& fields, std::string_view name, std::string_view last) {
  std::string list;
  for (const Field& field : fields) {
    if (EqualsIgnoringCase(field.name, name) && !field.value.empty()) {
      list.append(field.value).append(", "sv);
    }
  }
  return list.append(last);
}

// An element of Forwarded (RFC 7239 §4); an IPv6 address and a port need quotes.
std::string ForwardedElement(const RequestHop& hop, std::string_view host) {
  const bool v6 = hop.client_ip.find(':') != std::string_view::npos;
  const std::string ip(hop.client_ip.empty() ? "unknown" : hop.client_ip);
  std::string element = "for=" + (v6 ? "\"[" + ip + "]\"" : ip);
  if (!host.empty()) element.append(";host=\"").append(host).append("\"");
  return element + (hop.tls ? ";proto=https" : ";proto=http");
}

// What the proxy says of the client: from its socket, or from a trusted peer.
void AppendClaims(std::string& out, const RequestHead& head, const RequestHop& hop,
                  std::string_view host) {
  const auto said = [&](std::string_view name) {
    return hop.trusted ? Find(head.fields, name) : std::nullopt;
  };
  if (!hop.client_ip.empty()) {
    AppendField(out, "X-Forwarded-For",
                hop.trusted ? ListOf(head.fields, "X-Forwarded-For", hop.client_ip)
                            : std::string(hop.client_ip));
  } else if (const auto list = said("X-Forwarded-For")) {
    AppendField(out, "X-Forwarded-For", *list);
  }
  AppendField(out, "X-Forwarded-Proto",
              said("X-Forwarded-Proto").value_or(hop.tls ? "https" : "http"));
  if (!host.empty()) AppendField(out, "X-Forwarded-Host", said("X-Forwarded-Host").value_or(host));
  if (hop.forwarded) {
    const std::string element = ForwardedElement(hop, host);
    AppendField(out, "Forwarded",
                hop.trusted ? ListOf(head.fields, "Forwarded", element) : element);
  }
}

// A claim that goes on by itself: a trusted peer's, unless AppendClaims says it.
bool ClaimPasses(std::string_view name, const RequestHop& hop) {
  if (!hop.trusted) return false;
  if (EqualsIgnoringCase(name, "Forwarded")) return !hop.forwarded;
  return std::ranges::none_of(
      std::to_array<std::string_view>({"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"}),
      [name](std::string_view other) { return EqualsIgnoringCase(name, other); });
}

bool Passes(Fate fate, const Field& field, const RequestHead& head, const RequestHop& hop) {
  switch (fate) {
    case Fate::kPass:
    case Fate::kKeep:
    case Fate::kLength:
    case Fate::kCoding:
    case Fate::kHost:
      return true;
    case Fate::kOurs:
    case Fate::kUpgrade:
      return hop.upgrade;
    case Fate::kTrace:
      return hop.traceparent.empty();
    case Fate::kExpect:
      return head.version >= 11;
    case Fate::kOffer:
      return !hop.strip_extensions && (!hop.deflate_only || !DeflateOffers(field.value).empty());
    case Fate::kClaim:
      return ClaimPasses(field.name, hop);
    case Fate::kStop:
    case Fate::kTrailers:
      return false;
  }
  return false;
}

}  // namespace

// Some gateway interfaces take `_` for `-`: `X_Forwarded_For` would be believed behind them.
bool SameToGateways(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '_' ? '-' : ToLowerAscii(c); };
  return std::ranges::equal(a, b, {}, plain, plain);
}

RequestTarget TargetOf(const RequestHead& head) { return TargetOf(head, head.target); }

bool MayBeSet(std::string_view name) {
  if (EqualsIgnoringCase(name, "Trailer") || EqualsIgnoringCase(name, "Via")) return false;
  return FateOf(name, &Rule::request, NamedFields(Fields{})) == Fate::kPass;
}

std::string ForwardRequest(const RequestHead& head, const RequestHop& hop) {
  constexpr std::size_t kUsualHead = 1024;
  const NamedFields named(head.fields);
  RequestTarget origin = TargetOf(head, hop.target.empty() ? head.target : hop.target);
  if (origin.host.empty()) origin.host = hop.host;
  std::string out;
  out.reserve(kUsualHead);
  out.append(head.method).append(" ").append(origin.target).append(" HTTP/1.1\r\n");
  if (!Find(head.fields, "Host") && !origin.host.empty()) AppendField(out, "Host", origin.host);
  for (const Field& field : head.fields) {
    const Fate fate = FateOf(field.name, &Rule::request, named);
    if (!Passes(fate, field, head, hop) || IsReplaced(field.name, hop)) continue;
    if (fate == Fate::kOffer && hop.deflate_only) {
      AppendField(out, field.name, DeflateOffers(field.value));
    } else {
      AppendField(out, field.name, fate == Fate::kHost ? origin.host : field.value);
    }
  }
  for (const AddedField& field : hop.added) AppendField(out, field.name, field.value);
  AppendClaims(out, head, hop, hop.forwarded_host.empty() ? origin.host : hop.forwarded_host);
  if (!hop.traceparent.empty()) AppendField(out, "traceparent", hop.traceparent);
  if (hop.via) AppendField(out, "Via", head.version >= 11 ? "1.1 connguard" : "1.0 connguard");
  if (!hop.upgrade) {
    const bool trailers = HasToken(head.fields, "TE", "trailers");
    if (trailers) AppendField(out, "TE", "trailers");
    if (trailers || hop.close) {
      AppendField(out, "Connection", !trailers ? "close" : hop.close ? "close, TE" : "TE");
    }
  }
  return out.append("\r\n");
}

std::string ForwardResponse(const ResponseHead& head, const ResponseHop& hop) {
  if (hop.upgrade) return Serialize(head);
  constexpr std::size_t kUsualHead = 512;
  constexpr int kUpgradeRequired = 426;  // says what to upgrade to (RFC 9110 §15.5.22)
  // A client that believed a length would wait for a body (RFC 9110 §8.6, RFC 9112 §6.1).
  const bool bodiless = head.status < 200 || head.status == 204;
  const NamedFields named(head.fields);
  std::string out;
  out.reserve(kUsualHead);
  out.append("HTTP/1.1 ").append(std::to_string(head.status)).append(" ");
  out.append(head.reason).append("\r\n");
  for (const Field& field : head.fields) {
    const Fate fate = FateOf(field.name, &Rule::response, named);
    if (fate == Fate::kStop || fate == Fate::kOurs) continue;
    if (fate == Fate::kUpgrade && head.status != kUpgradeRequired) continue;
    if (fate == Fate::kCoding && (bodiless || hop.client_version < 11)) continue;
    if (fate == Fate::kLength && bodiless) continue;
    AppendField(out, field.name, field.value);
  }
  if (hop.via) AppendField(out, "Via", head.version >= 11 ? "1.1 connguard" : "1.0 connguard");
  const bool interim = head.status < 200;  // says nothing about the connection
  if (!interim && head.status == kUpgradeRequired) {
    AppendField(out, "Connection", hop.close ? "close, Upgrade" : "Upgrade");
  } else if (!interim && (hop.close || hop.client_version < 11)) {
    AppendField(out, "Connection", hop.close ? "close" : "keep-alive");
  }
  return out.append("\r\n");
}

}  // namespace connguard
