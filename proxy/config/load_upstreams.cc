// Upstreams: where they are, and how they are spoken to.
#include "config/load_upstreams.h"

#include "config/address.h"
#include "config/load_tls.h"
#include "config/name_check.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

void ReadUrl(Section& section, UpstreamConfig& upstream, const NamedFiles& files) {
  section.Require("url");
  section.Find("tls");  // known, whatever becomes of the URL
  if (!section.ReadText("url", upstream.url)) return;
  Parsed<Address> address = ParseUpstreamUrl(upstream.url);
  if (!address) {
    section.Error(*section.Find("url"), "url", address.error);
    return;
  }
  upstream.address = *std::move(address.value);
  upstream.tls = ReadUpstreamTls(section, IsHttps(upstream.url), upstream.address.host, files);
}

void ReadKeepalive(Section& upstream, KeepaliveConfig& out) {
  std::optional<Section> keepalive = upstream.Sub("keepalive", upstream.LabelOf("keepalive"));
  if (!keepalive) return;
  keepalive->ReadDuration("idle", out.idle, {1ms, 1h});
  std::uint64_t connections = out.connections;
  keepalive->ReadCount("connections", connections, {0, 10'000});
  out.connections = connections;
  keepalive->Finish();
}

}  // namespace

std::vector<UpstreamConfig> ReadUpstreams(Section& root, const NamedFiles& files) {
  std::vector<UpstreamConfig> upstreams;
  const std::optional<Value> list = root.Require("upstreams");
  if (!list) return upstreams;
  NameCheck names;
  for (const Value& item : root.reader().Items(*list, "upstreams")) {
    Section section(root.reader(), item, "upstreams", "upstreams");
    UpstreamConfig upstream;
    if (!section.ok()) continue;
    section.ReadName("name", upstream.name);
    names.Add(section, upstream.name);
    ReadUrl(section, upstream, files);
    section.ReadDuration("connect_timeout", upstream.connect_timeout, {1ms, 10min});
    section.ReadDuration("handshake_timeout", upstream.handshake_timeout, {1ms, 1h});
    section.ReadDuration("response_timeout", upstream.response_timeout, {1ms, 24h});
    ReadKeepalive(section, upstream.keepalive);
    section.ReadBool("forwarded", upstream.forwarded);
    section.ReadBool("via", upstream.via);
    section.ReadBool("traceparent", upstream.traceparent);
    section.Finish();
    upstreams.push_back(std::move(upstream));
  }
  return upstreams;
}

}  // namespace connguard
