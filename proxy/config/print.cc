// PrintConfig: every key with its value in force, in the order of conf/connguard.yaml.
#include "config/load.h"
#include "config/print_page.h"
#include "config/scalars.h"

namespace connguard {
namespace {

void PrintListenerTls(const ListenerTlsConfig& tls, Page& page) {
  page.Line(4, "tls:");
  std::vector<std::string> certificates;
  for (const CertificateFiles& files : tls.certificates) certificates.push_back(Inline(files));
  page.Pair(6, "certificates", Listed(certificates));
  if (!tls.client_ca.empty()) page.Pair(6, "client_ca", Scalar(tls.client_ca));
  page.Pair(6, "min_version", Scalar(WordFor(tls.min_version, kTlsVersions)));
  if (!tls.subject_header.empty()) page.Pair(6, "subject_header", Scalar(tls.subject_header));
  if (!tls.fingerprint_header.empty()) {
    page.Pair(6, "fingerprint_header", Scalar(tls.fingerprint_header));
  }
}

void PrintListener(const ListenerConfig& listener, Page& page) {
  page.Pair(2, "- name", Scalar(listener.name));
  page.Pair(4, "bind", Scalar(listener.bind.ToString()));
  if (listener.tls) PrintListenerTls(*listener.tls, page);
  page.Pair(4, "proxy_protocol", TrueOrFalse(listener.proxy_protocol));
  std::vector<std::string> trusted;
  for (const Cidr& block : listener.trusted_proxies) trusted.push_back(block.ToString());
  page.Pair(4, "trusted_proxies", List(trusted));
}

void PrintUpstream(const UpstreamConfig& upstream, Page& page) {
  page.Pair(2, "- name", Scalar(upstream.name));
  page.Pair(4, "url", Scalar(upstream.url));
  PrintUpstreamTls(4, upstream, page);
  page.Pair(4, "connect_timeout", FormatDuration(upstream.connect_timeout));
  page.Pair(4, "handshake_timeout", FormatDuration(upstream.handshake_timeout));
  page.Pair(4, "response_timeout", FormatDuration(upstream.response_timeout));
  page.Pair(4, "keepalive",
            "{idle: " + FormatDuration(upstream.keepalive.idle) +
                ", connections: " + std::to_string(upstream.keepalive.connections) + "}");
  page.Pair(4, "forwarded", TrueOrFalse(upstream.forwarded));
  page.Pair(4, "via", TrueOrFalse(upstream.via));
  page.Pair(4, "traceparent", TrueOrFalse(upstream.traceparent));
}

void PrintAdmin(const AdminConfig& admin, Page& page) {
  page.Pair(2, "bind", Scalar(admin.bind.ToString()));
  // Loads only where somebody gives the variable a value: never as a token that everybody knows.
  if (!admin.token.empty()) page.Pair(2, "token", "${CONNGUARD_ADMIN_TOKEN}  # not shown");
  page.Pair(2, "show_keys", TrueOrFalse(admin.show_keys));
}

void PrintProcess(const Config& config, Page& page) {
  const LimitsConfig& limits = config.limits;
  page.Line(0, "limits:");
  page.Pair(2, "connections", std::to_string(limits.connections));
  page.Pair(2, "connections_per_ip", std::to_string(limits.connections_per_ip));
  page.Pair(2, "handshakes_per_second_per_ip", std::to_string(limits.handshakes_per_second_per_ip));
  page.Pair(2, "handshake_timeout", FormatDuration(limits.handshake_timeout));
  page.Pair(2, "header_size", FormatSize(limits.header_size));
  page.Pair(2, "message_size", FormatSize(limits.message_size));
  page.Pair(2, "buffer", FormatSize(limits.buffer));
  page.Pair(2, "buffer_total", FormatSize(limits.buffer_total));
  page.Pair(2, "slow_client_timeout", FormatDuration(limits.slow_client_timeout));
  page.Pair(2, "keepalive_timeout", FormatDuration(limits.keepalive_timeout));
  page.Pair(2, "body_timeout", FormatDuration(limits.body_timeout));
  page.Pair(2, "body_size", FormatSize(limits.body_size));
  page.Line(0, "shutdown:");
  page.Pair(2, "delay", FormatDuration(config.shutdown.delay));
  page.Pair(2, "drain", FormatDuration(config.shutdown.drain));
  page.Line(0, config.admin ? "admin:" : "admin: off");
  if (config.admin) PrintAdmin(*config.admin, page);
  page.Line(0, "logging:");
  page.Pair(2, "level", WordFor(config.logging.level, kLogLevels));
  page.Pair(2, "format", WordFor(config.logging.format, kLogFormats));
  page.Pair(2, "target", WordFor(config.logging.target, kLogTargets));
  page.Pair(0, "readable_keys", TrueOrFalse(config.readable_keys));
  page.Pair(0, "workers", config.workers == 0 ? "auto" : std::to_string(config.workers));
}

}  // namespace

std::string PrintConfig(const Config& config) {
  Page page;
  page.Line(0, "version: 1");
  page.Line(0, "listeners:");
  for (const ListenerConfig& listener : config.listeners) PrintListener(listener, page);
  page.Line(0, "upstreams:");
  for (const UpstreamConfig& upstream : config.upstreams) {
    if (!upstream.is_auth) PrintUpstream(upstream, page);  // else its route says it
  }
  page.Line(0, "routes:");
  for (const RouteConfig& route : config.routes) PrintRoute(config, route, page);
  PrintProcess(config, page);
  return page.Take();
}

}  // namespace connguard
