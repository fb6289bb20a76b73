// What a client's socket and its proxies say of it.
#include "app/client.h"

#include "app/upstream_dial.h"
#include "config/cidr.h"

namespace connguard {

std::string AddressOf(const Client& client, const RequestHead& head) {
  return ClientAddress(head.fields, client.ip, client.listener->trusted_proxies);
}

RequestHop HopOf(const Client& client, const RequestHead& head, const UpstreamConfig& upstream) {
  RequestHop hop;
  if (client.ip != "unix") hop.client_ip = client.ip;
  hop.trusted = IsTrusted(client.listener->trusted_proxies, client.ip);
  hop.forwarded = upstream.forwarded;
  hop.via = upstream.via;
  if (!Find(head.fields, "Host")) hop.host = HostOf(upstream);
  return hop;
}

}  // namespace connguard
