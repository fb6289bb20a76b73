// How heads go on to the other side (RFC 9110 §7.6, RFC 9112 §3.2).
#include <algorithm>
#include <initializer_list>

#include "http/message.h"
#include "http/text.h"

namespace connguard {
namespace {

using Fields = std::vector<Field>;

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return EqualsIgnoringCase(name, other); });
}

// Fields that a Connection field cannot take away: the message would mean something else without
// them, or end elsewhere.
bool IsEndToEnd(std::string_view name) {
  return IsOneOf(name, {"Host", "Content-Length", "Transfer-Encoding"}) ||
         EqualsIgnoringCase(name.substr(0, 14), "Sec-WebSocket-");
}

// True for fields that never go further than this connection: those that `fields`' Connection
// names, and some that are known.
bool IsHopByHop(const Fields& fields, std::string_view name) {
  if (IsOneOf(name, {"Connection", "Upgrade", "TE"})) return false;  // decided by the caller
  if (IsOneOf(name, {"Keep-Alive", "Proxy-Connection"})) return true;
  return !IsEndToEnd(name) && HasToken(fields, "Connection", name);
}

// Fields by which a client could pose as another one behind a trusted proxy. Some gateway
// interfaces take `_` for `-`.
bool ClaimsForwarding(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  if (EqualsIgnoringCase(name, "Forwarded")) return true;
  return name.size() >= kPrefix.size() &&
         std::equal(kPrefix.begin(), kPrefix.end(), name.begin(),
                    [](char want, char c) { return want == (c == '_' ? '-' : ToLowerAscii(c)); });
}

// RFC 9112 §3.2.2: an absolute target's authority counts, and an origin gets a path.
void MakeOriginForm(RequestHead& head) {
  const auto absolute = ParseAbsolute(head.target);
  if (!absolute) return;
  const std::string host(absolute->authority);
  std::string target(absolute->path_and_query);
  if (target.empty() && head.method == "OPTIONS") {
    target = "*";
  } else if (!target.starts_with('/')) {
    target.insert(target.begin(), '/');
  }
  head.target = std::move(target);
  const auto field = std::find_if(head.fields.begin(), head.fields.end(), [](const Field& other) {
    return EqualsIgnoringCase(other.name, "Host");
  });
  if (field != head.fields.end()) {
    field->value = host;
  } else {
    head.fields.insert(head.fields.begin(), {"Host", host});
  }
}

}  // namespace

RequestHead ForwardRequest(const RequestHead& head, const ClientInfo& client, Hop hop,
                           bool strip_extensions) {
  RequestHead out{head.method, head.target, head.version, {}};
  out.fields.reserve(head.fields.size() + 4);
  for (const Field& field : head.fields) {
    if (ClaimsForwarding(field.name) || IsHopByHop(head.fields, field.name)) continue;
    if (hop == Hop::kPlain && IsOneOf(field.name, {"Connection", "Upgrade"})) continue;
    // Only `trailers` is a promise that holds for the whole way.
    if (EqualsIgnoringCase(field.name, "TE") && !EqualsIgnoringCase(field.value, "trailers"))
      continue;
    if (strip_extensions && EqualsIgnoringCase(field.name, "Sec-WebSocket-Extensions")) continue;
    out.fields.push_back(field);
  }
  MakeOriginForm(out);
  const auto host = Find(out.fields, "Host");
  const std::string forwarded_host(host.value_or(""));
  if (!client.ip.empty()) out.fields.push_back({"X-Forwarded-For", client.ip});
  out.fields.push_back({"X-Forwarded-Proto", client.tls ? "https" : "http"});
  if (host) out.fields.push_back({"X-Forwarded-Host", forwarded_host});
  if (hop == Hop::kPlain) out.fields.push_back({"Connection", "close"});
  return out;
}

ResponseHead ForwardResponse(const ResponseHead& head, Hop hop) {
  if (hop == Hop::kUpgrade) return head;
  ResponseHead out{head.status, head.reason, head.version, {}};
  out.fields.reserve(head.fields.size() + 1);
  const bool keep_upgrade = head.status == 426;  // it says what to upgrade to (RFC 9110 §15.5.22)
  for (const Field& field : head.fields) {
    if (IsHopByHop(head.fields, field.name) || EqualsIgnoringCase(field.name, "Connection"))
      continue;
    if (!keep_upgrade && EqualsIgnoringCase(field.name, "Upgrade")) continue;
    out.fields.push_back(field);
  }
  if (head.status >= 200) {  // an interim answer says nothing about the connection
    out.fields.push_back({"Connection", keep_upgrade ? "close, Upgrade" : "close"});
  }
  return out;
}

}  // namespace connguard
