// Client: who has come, and the leg to it, as they travel from session to session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/address_limits.h"
#include "app/presence.h"
#include "config/route_match.h"
#include "connguard/config.h"
#include "http/forwarding.h"
#include "http/trace_context.h"
#include "net/conn.h"

namespace connguard {

// `conn` is null when the client is gone.
struct ClientLeg {
  Presence presence;           // outlives the connection
  AddressLimits::Place place;  // likewise, of its address (limits.connections_per_ip)
  std::unique_ptr<Conn> conn;
  bool watched = false;  // by WatchClient

  explicit operator bool() const { return conn != nullptr; }
  void Drop() {
    conn.reset();
    presence = {};
    place = {};
  }
};

struct Client : ClientLeg {
  std::string ip;            // of the socket or its PROXY header; `unix` where it has none
  std::size_t listener = 0;  // where it came in; index into Config::listeners
};

// Who has asked: of the socket, or as trusted proxies tell it.
std::string AddressOf(const Config& config, const Client& client, const RequestHead& head);

// What the log may say of its target (logging.target).
std::string TargetForLog(const Config& config, const RequestHead& head);

// What the forwarding rules need to know of a request from `client` to `upstream`; `trace` has to
// outlive it.
RequestHop HopOf(const Config& config, const Client& client, const RequestHead& head,
                 const UpstreamConfig& upstream, const TraceContext& trace);

// What its listener has to tell of the client's certificate.
std::vector<AddedField> CertificateFields(const Config& config, const Client& client);
// The client's own fields of such names, whatever the listener: only the guard may set them.
void RemoveCertificateFields(const Config& config, RequestHop& hop);

// What a route makes of a request besides: credentials that leave its URL, and the fields that only
// the guard may set: the client's certificate, the auth URL's answer.
void Rewrite(const Config& config, const RequestHead& head, const Matched& matched,
             RequestHop& hop);

// Who speaks to a peer that says nothing.
enum class Silence : std::uint8_t {
  kPinged,  // we do: what is sent and never acknowledged tells enough
  kProbed,  // the kernel does
};

// Lets the kernel find out, as fast as the route's heartbeat would, that a peer has vanished. An
// upstream that is busy with a turn has until turn.max to take what it is sent: it is never ended
// for being slow.
void WatchClient(ClientLeg& client, const RouteConfig& route, Silence silence);
void WatchUpstream(Conn& upstream, const RouteConfig& route, Silence silence);

}  // namespace connguard
