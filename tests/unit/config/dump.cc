// One line per field.
#include "dump.h"

#include <sstream>

namespace connguard {
namespace {

std::string Text(const CertificateFiles& files) {
  return "<" + files.chain + "> <" + files.key + ">";
}

void DumpTls(const ListenerTlsConfig& tls, std::ostream& out) {
  out << " tls";
  for (const CertificateFiles& files : tls.certificates) out << " " << Text(files);
  out << " ca <" << tls.client_ca << "> version " << static_cast<int>(tls.min_version) << " tells <"
      << tls.subject_header << "> <" << tls.fingerprint_header << ">\n";
}

void DumpUpstream(const UpstreamConfig& upstream, std::ostream& out) {
  out << "upstream " << upstream.name << " " << upstream.url << " <" << upstream.address.host
      << "> " << upstream.address.port << " <" << upstream.address.path << "> "
      << upstream.connect_timeout.count() << " " << upstream.handshake_timeout.count() << " "
      << upstream.response_timeout.count() << " keepalive " << upstream.keepalive.idle.count()
      << " " << upstream.keepalive.connections << " forwarded " << upstream.forwarded << " via "
      << upstream.via << " traceparent " << upstream.traceparent << "\n";
  if (upstream.is_auth) out << " is auth\n";
  if (!upstream.tls) return;
  out << " tls ca <" << upstream.tls->ca << "> name <" << upstream.tls->server_name << "> verify "
      << upstream.tls->verify;
  if (upstream.tls->certificate) out << " own " << Text(*upstream.tls->certificate);
  out << "\n";
}

void DumpAuth(const AuthConfig& auth, std::ostream& out) {
  if (auth.jwt) {
    out << "\n jwt";
    for (const JwtAlgorithm algorithm : auth.jwt->algorithms) {
      out << " " << static_cast<int>(algorithm);
    }
    out << " secret <" << auth.jwt->secret << "> keys <" << auth.jwt->keys_file << "> issuer <"
        << auth.jwt->issuer << "> leeway " << auth.jwt->leeway.count() << " audience";
    for (const std::string& audience : auth.jwt->audiences) out << " <" << audience << ">";
    out << " from";
    for (const TokenPlace& place : auth.jwt->places) {
      out << " " << static_cast<int>(place.kind) << " <" << place.name << ">";
    }
  }
  if (!auth.forward) return;
  out << "\n forward " << auth.forward->upstream << " <" << auth.forward->target << "> "
      << auth.forward->timeout.count();
  for (const std::string& header : auth.forward->headers) out << " <" << header << ">";
}

void DumpAdmission(const RouteConfig& route, std::ostream& out) {
  for (const OriginPattern& origin : route.origins) {
    out << "\n origin <" << origin.scheme << "> <" << origin.host << "> " << origin.port << " any "
        << origin.any_subdomain;
  }
  if (route.auth) DumpAuth(*route.auth, out);
  for (const std::string& name : route.strip_query) out << "\n strip <" << name << ">";
  if (route.lift) {
    out << "\n lift <" << route.lift->query << "> <" << route.lift->header << "> <"
        << route.lift->before << "> <" << route.lift->after << ">";
  }
}

void DumpRoute(const RouteConfig& route, std::ostream& out) {
  out << "route " << route.name << " upstream " << route.upstream << "\n host " << route.match.host;
  for (const PathSegment& segment : route.match.path) {
    out << "\n segment " << static_cast<int>(segment.kind) << " <" << segment.text << ">";
  }
  for (const HeaderMatch& header : route.match.headers) {
    out << "\n header <" << header.name << "> <" << header.value << ">";
  }
  DumpAdmission(route, out);
  const SessionConfig& session = route.session;
  for (const KeyTemplate& key : session.key) {
    out << "\n key";
    for (const KeyPart& part : key) {
      out << " " << static_cast<int>(part.source) << " <" << part.name << ">";
    }
  }
  out << "\n conflict " << static_cast<int>(session.on_conflict) << " drop "
      << static_cast<int>(session.on_drop) << " wait " << session.wait.count() << " settle "
      << session.settle.count() << " close " << session.close_timeout.count() << " barrier "
      << session.barrier_path.value_or("(none)");
  for (const std::string& method : session.methods) out << "\n method <" << method << ">";
  const TurnProfile& turn = route.turn;
  out << "\n turn <" << turn.name << "> end " << static_cast<int>(turn.policy.end) << " quiet "
      << turn.policy.quiet.count() << " max " << turn.policy.max.count() << " window "
      << turn.policy.window << " linger " << turn.linger.count() << " json "
      << turn.accept_json_object << " at <" << turn.end_pointer << ">";
  for (const std::string& word : turn.end_values) out << " <" << word << ">";
  out << "\n compression " << static_cast<int>(route.compression);
  for (const HeartbeatPolicy& leg : {route.client_heartbeat, route.upstream_heartbeat}) {
    out << "\n heartbeat " << leg.interval.count() << " " << leg.timeout.count();
  }
  out << " forward " << route.forward_pings;
  for (const auto& [cause, code] : route.close_codes) {
    out << "\n close " << Describe(cause).word << " " << static_cast<unsigned>(code);
  }
  out << "\n";
}

}  // namespace

std::string Dump(const Config& config) {
  std::ostringstream out;
  for (const ListenerConfig& listener : config.listeners) {
    out << "listener " << listener.name << " " << listener.bind.ToString() << " proxy "
        << listener.proxy_protocol << " trusts";
    for (const Cidr& block : listener.trusted_proxies) out << " " << block.ToString();
    out << "\n";
    if (listener.tls) DumpTls(*listener.tls, out);
  }
  for (const UpstreamConfig& upstream : config.upstreams) DumpUpstream(upstream, out);
  for (const RouteConfig& route : config.routes) DumpRoute(route, out);
  const LimitsConfig& limits = config.limits;
  out << "limits " << limits.connections << " per ip " << limits.connections_per_ip << " "
      << limits.handshakes_per_second_per_ip << " " << limits.handshake_timeout.count() << " "
      << limits.header_size << " " << limits.message_size << " " << limits.buffer << " "
      << limits.slow_client_timeout.count() << " " << limits.keepalive_timeout.count() << " "
      << limits.body_timeout.count() << " " << limits.body_size << " " << limits.buffer_total
      << "\nshutdown " << config.shutdown.delay.count() << " " << config.shutdown.drain.count()
      << "\nadmin " << (config.admin ? config.admin->bind.ToString() : "(none)")
      << (config.admin ? " token <" + config.admin->token + "> keys " : " ")
      << (config.admin && config.admin->show_keys) << "\nlogging "
      << static_cast<int>(config.logging.level) << " " << static_cast<int>(config.logging.format)
      << " target " << static_cast<int>(config.logging.target) << "\nreadable keys "
      << config.readable_keys << "\nworkers " << config.workers << "\n";
  return out.str();
}

}  // namespace connguard
