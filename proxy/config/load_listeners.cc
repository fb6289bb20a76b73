// Listeners: where they are, their TLS, and whose word on clients is believed.
#include "config/load_listeners.h"

#include <algorithm>

#include "config/address.h"
#include "config/cidr.h"
#include "config/distinct.h"
#include "config/load_tls.h"
#include "config/name_check.h"

namespace connguard {
namespace {

void ReadProxyProtocol(Section& section, ListenerConfig& listener) {
  const std::string_view key = "proxy_protocol";
  if (!section.ReadBool(key, listener.proxy_protocol) || !listener.proxy_protocol) return;
  const std::optional<Value> trusted = section.Find("trusted_proxies");
  if (!trusted || (trusted->node.IsSequence() && trusted->node.size() == 0)) {
    section.Error(*section.Find(key), key,
                  "needs trusted_proxies: the networks whose PROXY header is believed");
  } else if (listener.bind.is_unix()) {
    section.Error(*section.Find(key), key,
                  "peers of a unix socket have no address that trusted_proxies could name");
  }
}

// `::` takes IPv4 as well.
bool IsEveryAddressFor(const Address& all, const Address& one) {
  if (all.host == "::") return true;
  return all.host == "0.0.0.0" && one.host.find(':') == std::string::npos;
}

}  // namespace

bool ReadBind(Section& section, Address& out) {
  std::string text;
  section.Require("bind");
  if (!section.ReadText("bind", text)) return false;
  Parsed<Address> address = ParseAddress(text, true);
  if (!address) {
    section.Error(*section.Find("bind"), "bind", address.error);
    return false;
  }
  out = *std::move(address.value);
  return true;
}

bool SameSocket(const Address& a, const Address& b) {
  return a == b && (a.is_unix() || a.port != 0);
}

bool Overlap(const Address& a, const Address& b) {
  if (SameSocket(a, b)) return true;
  if (a.is_unix() || b.is_unix() || a.port == 0 || a.port != b.port) return false;
  return IsEveryAddressFor(a, b) || IsEveryAddressFor(b, a);
}

std::vector<ListenerConfig> ReadListeners(Section& root, const NamedFiles& files) {
  std::vector<ListenerConfig> listeners;
  const std::optional<Value> list = root.Require("listeners");
  if (!list) return listeners;
  NameCheck names;
  for (const Value& item : root.reader().Items(*list, "listeners")) {
    Section section(root.reader(), item, "listeners", "listeners");
    ListenerConfig listener;
    if (!section.ok()) continue;
    section.ReadName("name", listener.name);
    names.Add(section, listener.name);
    if (ReadBind(section, listener.bind)) {
      const auto other = std::ranges::find_if(listeners, [&](const ListenerConfig& earlier) {
        return SameSocket(earlier.bind, listener.bind);
      });
      if (other != listeners.end()) {
        section.Error(*section.Find("bind"), "bind",
                      Quoted(listener.bind.ToString()) + " is taken by " + Quoted(other->name));
      }
    }
    listener.tls = ReadListenerTls(section, files);
    ReadDistinct(section, "trusted_proxies", listener.trusted_proxies, ParseCidr);
    ReadProxyProtocol(section, listener);
    section.Finish();
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

}  // namespace connguard
