// What a client's socket and its proxies say of it.
#include "app/client.h"

#include <algorithm>
#include <utility>

#include "app/upstream_dial.h"
#include "config/cidr.h"
#include "http/query_edit.h"
#include "tls/tls_stream.h"

namespace connguard {

std::string AddressOf(const Config& config, const Client& client, const RequestHead& head) {
  return ClientAddress(head.fields, client.ip, config.listeners[client.listener].trusted_proxies);
}

std::string TargetForLog(const Config& config, const RequestHead& head) {
  switch (config.logging.target) {
    case LogTarget::kNone:
      return {};
    case LogTarget::kPath:
      return std::string(PathOf(head.target));
    case LogTarget::kFull:
      return head.target;
  }
  return {};
}

RequestHop HopOf(const Config& config, const Client& client, const RequestHead& head,
                 const UpstreamConfig& upstream, const TraceContext& trace) {
  RequestHop hop;
  if (client.ip != "unix") hop.client_ip = client.ip;
  hop.tls = client.conn != nullptr && client.conn->tls() != nullptr;
  hop.trusted = IsTrusted(config.listeners[client.listener].trusted_proxies, client.ip);
  hop.forwarded = upstream.forwarded;
  hop.via = upstream.via;
  hop.traceparent = trace.created();
  if (!Find(head.fields, "Host")) hop.host = HostOf(upstream);
  return hop;
}

std::vector<AddedField> CertificateFields(const Config& config, const Client& client) {
  std::vector<AddedField> fields;
  const std::optional<ListenerTlsConfig>& tls = config.listeners[client.listener].tls;
  const bool told = tls && !(tls->subject_header.empty() && tls->fingerprint_header.empty());
  const bool secure = client.conn != nullptr && client.conn->tls() != nullptr;
  const auto peer = told && secure ? client.conn->tls()->peer() : std::nullopt;
  if (!peer) return fields;
  if (!tls->subject_header.empty()) fields.push_back({tls->subject_header, peer->subject});
  if (!tls->fingerprint_header.empty()) {
    fields.push_back({tls->fingerprint_header, peer->fingerprint});
  }
  return fields;
}

void RemoveCertificateFields(const Config& config, RequestHop& hop) {
  // Whoever comes in by another listener must not speak for this one.
  for (const ListenerConfig& listener : config.listeners) {
    if (!listener.tls) continue;
    for (const std::string* name :
         {&listener.tls->subject_header, &listener.tls->fingerprint_header}) {
      if (!name->empty()) hop.removed.push_back(*name);
    }
  }
}

void Rewrite(const Config& config, const RequestHead& head, const Matched& matched,
             RequestHop& hop) {
  const RouteConfig& route = *matched.route;
  RemoveCertificateFields(config, hop);
  if (route.auth && route.auth->forward) {
    for (const std::string& name : route.auth->forward->headers) hop.removed.push_back(name);
  }
  for (const AddedField& field : matched.added_headers) hop.added.push_back(field);
  if (route.strip_query.empty() && !route.lift) return;
  QueryEdit edit = EditQuery(head.target, route);
  hop.target = std::move(edit.target);
  if (edit.lifted) hop.added.push_back(*std::move(edit.lifted));
}

void WatchClient(ClientLeg& client, const RouteConfig& route, Silence silence) {
  const HeartbeatPolicy& heartbeat = route.client_heartbeat;
  if (client.watched || heartbeat.interval == Millis{0}) return;
  client.watched = true;
  client.conn->LimitUnacknowledged(heartbeat.interval + heartbeat.timeout);
  if (silence == Silence::kProbed) client.conn->Probe(heartbeat.interval, heartbeat.timeout);
}

void WatchUpstream(Conn& upstream, const RouteConfig& route, Silence silence) {
  const HeartbeatPolicy& heartbeat = route.upstream_heartbeat;
  if (heartbeat.interval == Millis{0}) return;
  const Millis longest = route.turn.policy.max;
  if (longest > Millis{0}) {
    upstream.LimitUnacknowledged(std::max(heartbeat.interval + heartbeat.timeout, longest));
  }
  if (silence == Silence::kProbed) upstream.Probe(heartbeat.interval, heartbeat.timeout);
}

}  // namespace connguard
