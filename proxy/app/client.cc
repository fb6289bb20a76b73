// What a client's socket and its proxies say of it.
#include "app/client.h"

#include <algorithm>

#include "app/upstream_dial.h"
#include "config/cidr.h"

namespace connguard {

std::string AddressOf(const Config& config, const Client& client, const RequestHead& head) {
  return ClientAddress(head.fields, client.ip, config.listeners[client.listener].trusted_proxies);
}

RequestHop HopOf(const Config& config, const Client& client, const RequestHead& head,
                 const UpstreamConfig& upstream, const TraceContext& trace) {
  RequestHop hop;
  if (client.ip != "unix") hop.client_ip = client.ip;
  hop.trusted = IsTrusted(config.listeners[client.listener].trusted_proxies, client.ip);
  hop.forwarded = upstream.forwarded;
  hop.via = upstream.via;
  hop.traceparent = trace.created();
  if (!Find(head.fields, "Host")) hop.host = HostOf(upstream);
  return hop;
}

void WatchClient(Client& client, const RouteConfig& route) {
  const HeartbeatPolicy& heartbeat = route.client_heartbeat;
  if (client.watched || heartbeat.interval == Millis{0}) return;
  client.watched = true;
  client.conn->Watch(heartbeat.interval, heartbeat.timeout, heartbeat.interval + heartbeat.timeout);
}

void WatchUpstream(Conn& upstream, const RouteConfig& route) {
  const HeartbeatPolicy& heartbeat = route.upstream_heartbeat;
  if (heartbeat.interval == Millis{0}) return;
  const Millis longest = route.turn.policy.max;
  upstream.Watch(
      heartbeat.interval, heartbeat.timeout,
      longest == Millis{0} ? Millis{0} : std::max(heartbeat.interval + heartbeat.timeout, longest));
}

}  // namespace connguard
