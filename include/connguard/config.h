// Config: everything an operator can say, checked and immutable. Made by proxy/config from YAML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connguard/address.h"
#include "connguard/cidr.h"
#include "connguard/close_cause.h"
#include "connguard/fence.h"
#include "connguard/heartbeat.h"
#include "connguard/tunnel.h"
#include "connguard/turn.h"
#include "connguard/types.h"

namespace connguard {

struct ListenerConfig {
  std::string name;
  Address bind;
  std::vector<Cidr> trusted_proxies;  // peers whose X-Forwarded-* and Forwarded are believed
};

// Connections to an upstream that wait for their next request.
struct KeepaliveConfig {
  Millis idle{60'000};           // then they are closed
  std::size_t connections = 64;  // per worker; 0: none is kept
};

struct UpstreamConfig {
  std::string name;
  std::string url;  // as written
  Address address;
  Millis connect_timeout{3'000};
  Millis handshake_timeout{30'000};  // from a WebSocket handshake to its answer
  Millis response_timeout{300'000};  // from a whole plain request to its answer's head
  KeepaliveConfig keepalive;
  bool forwarded = false;   // send Forwarded (RFC 7239) besides X-Forwarded-*
  bool via = false;         // send Via (RFC 9110 §7.6.3)
  bool traceparent = true;  // begin a trace (W3C) for a request that came with none
};

// One segment of `match.path`.
struct PathSegment {
  enum class Kind : std::uint8_t {
    kLiteral,  // this text, compared after percent-decoding
    kName,     // {name}: exactly one non-empty segment
    kRest,     // ** : any rest, also none; only at the end
  };
  Kind kind = Kind::kLiteral;
  std::string text;  // literal or name
};

struct HeaderMatch {
  std::string name;   // compared without case
  std::string value;  // exact; empty: the header's presence is enough
};

struct RouteMatch {
  std::vector<PathSegment> path;     // empty: any path
  std::string host;                  // without port, lower case; empty: any
  std::vector<HeaderMatch> headers;  // all of them
};

// One piece of a session key's template.
struct KeyPart {
  enum class Source : std::uint8_t { kText, kPath, kQuery, kHeader, kCookie, kClientIp };
  Source source = Source::kText;
  std::string name;  // the text itself for kText; unused for kClientIp
};

// One alternative of `session.key`: its parts concatenated. Empty when a part is missing or empty.
using KeyTemplate = std::vector<KeyPart>;

struct TurnProfile {
  std::string name;  // for logs and print-config; empty when inline
  TurnPolicy policy;
  std::string end_pointer;              // JSON pointer (RFC 6901) for TurnEnd::kMatch
  std::vector<std::string> end_values;  // strings that end a turn
  bool accept_json_object = false;      // a client's message of another kind ends the client
  Millis linger{50};

  // True when messages' content must be read.
  bool reads_content() const { return policy.end == TurnEnd::kMatch || accept_json_object; }
};

struct SessionConfig {
  std::vector<KeyTemplate> key;  // the first that is not empty; none: not fenced
  OnConflict on_conflict = OnConflict::kTakeover;
  OnDrop on_drop = OnDrop::kFinish;
  Millis wait{60'000};
  Millis settle{100};
  Millis close_timeout{5'000};
  std::optional<std::string> barrier_path;
  std::vector<std::string> methods;  // plain requests of these methods are fenced too
};

// What a client is told when its tunnel ends for this cause, instead of the table's code.
struct CloseCodeChoice {
  CloseCause cause = CloseCause::kUpstreamLost;
  CloseCode code = CloseCode::kInternalError;
};

// permessage-deflate between a client and its upstream.
enum class Compression : std::uint8_t {
  kPassthrough,  // they may agree on it
  kOff,          // it is not offered to the upstream
};

struct RouteConfig {
  std::string name;
  RouteMatch match;
  std::size_t upstream = 0;  // index into Config::upstreams
  SessionConfig session;
  TurnProfile turn;
  Compression compression = Compression::kPassthrough;
  HeartbeatPolicy client_heartbeat;
  HeartbeatPolicy upstream_heartbeat;
  bool forward_pings = false;  // pings and pongs of either peer go to the other one
  std::vector<CloseCodeChoice> close_codes;
};

struct LimitsConfig {
  std::size_t connections = 10'000;  // client connections of the whole process
  Millis handshake_timeout{10'000};  // for a whole request head
  Bytes header_size = 32 * 1024;
  Bytes message_size = 16 * 1024 * 1024;
  Bytes buffer = 256 * 1024;                 // per direction of a tunnel
  Bytes buffer_total = 512UL * 1024 * 1024;  // of all together
  Millis slow_client_timeout{10'000};
  Millis keepalive_timeout{75'000};  // between two requests of a client's connection
  Millis body_timeout{60'000};       // the longest silence inside a body, on the client's side
  Bytes body_size = 0;               // of a plain request; 0: no limit
};

struct ShutdownConfig {
  Millis delay{0};
  Millis drain{30'000};
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kJson, kText, kLogfmt };

struct LoggingConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
};

struct AdminConfig {
  Address bind{};
  std::string token{};     // that every request but a probe must bear; empty: none
  bool show_keys = false;  // session keys in the clear, not hashed
};

struct Config {
  std::vector<ListenerConfig> listeners;
  std::vector<UpstreamConfig> upstreams;
  std::vector<RouteConfig> routes;  // the first match wins
  LimitsConfig limits;
  ShutdownConfig shutdown;
  std::optional<AdminConfig> admin;  // none: no admin endpoint
  LoggingConfig logging;
  unsigned workers = 0;  // 0: auto, one per core that the process may use
};

}  // namespace connguard
