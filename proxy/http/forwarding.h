// Forwarding: heads as they go to the other side of the proxy (RFC 9110 §7.6, RFC 9112 §3.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace connguard {

// What is known of a request's way through the proxy besides its head.
struct RequestHop {
  std::string_view client_ip;       // of the socket; empty: it has none (a unix socket)
  bool tls = false;                 // the client's connection is encrypted
  bool trusted = false;             // the peer's X-Forwarded-* and Forwarded are believed
  bool upgrade = false;             // Connection and Upgrade go on as they came
  bool close = false;               // the upstream's connection ends with its answer
  bool strip_extensions = false;    // Sec-WebSocket-Extensions goes no further
  bool deflate_only = false;        // of it only the offers of permessage-deflate go on
  bool forwarded = false;           // add Forwarded (RFC 7239)
  bool via = false;                 // add Via
  std::string_view traceparent;     // of a trace that begins here; empty: what came goes on
  std::string host;                 // for a request that names none (HTTP/1.0)
  std::string_view forwarded_host;  // what the client named, where `head` names another one
  std::string target;               // goes on in place of the head's; empty: the head's
  // Fields that speak for the proxy: the client's own of these names go no further, nor do those
  // that a gateway interface would take for them (`_` for `-`). Only names that MayBeSet().
  std::vector<std::string_view> removed;
  std::vector<AddedField> added;  // ours, in place of the client's of the same names
};

// Likewise for an answer.
struct ResponseHop {
  bool upgrade = false;  // a 101 goes on as it came
  bool close = false;    // the client's connection ends with this answer
  int client_version = 11;
  bool via = false;
};

// Where a request goes, as its origin reads it: an absolute target is its path and query here, and
// its authority outranks Host (RFC 9112 §3.2.2).
struct RequestTarget {
  std::string target;
  std::string_view host;  // of the head; empty: it names none
};
RequestTarget TargetOf(const RequestHead& head);

// True for a field that a configuration may put into a request: not one of those that belong to one
// hop, frame the message, make the WebSocket handshake, or are the proxy's own to say.
bool MayBeSet(std::string_view name);

// The same field to a gateway interface: no case, and `_` for `-`.
bool SameToGateways(std::string_view a, std::string_view b);

// The head as text. Byte-exact target, order, case and duplicates, except for what the table in
// forwarding.cc names: fields of one hop, and those that a proxy speaks for. The framing stays: a
// body is passed on as it came, chunk headers included.
std::string ForwardRequest(const RequestHead& head, const RequestHop& hop);

// A chunked answer to an HTTP/1.0 client loses Transfer-Encoding: its body must be sent without
// chunk headers, and ends with the connection (`close`).
std::string ForwardResponse(const ResponseHead& head, const ResponseHop& hop);

}  // namespace connguard
