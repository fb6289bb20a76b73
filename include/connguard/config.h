// Config: everything an operator can say, checked and immutable. Made by proxy/config from YAML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connguard/address.h"
#include "connguard/fence.h"
#include "connguard/heartbeat.h"
#include "connguard/tunnel.h"
#include "connguard/turn.h"
#include "connguard/types.h"

namespace connguard {

struct ListenerConfig {
  std::string name;
  Address bind;
};

struct UpstreamConfig {
  std::string name;
  std::string url;  // as written
  Address address;
  Millis connect_timeout{3'000};
  Millis handshake_timeout{30'000};
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
};

struct RouteConfig {
  std::string name;
  RouteMatch match;
  std::size_t upstream = 0;  // index into Config::upstreams
  SessionConfig session;
  TurnProfile turn;
  HeartbeatPolicy client_heartbeat;
  HeartbeatPolicy upstream_heartbeat;
};

struct LimitsConfig {
  std::size_t connections = 10'000;  // client connections of the whole process
  Millis handshake_timeout{10'000};  // for a whole request head
  Bytes header_size = 32 * 1024;
  Bytes message_size = 16 * 1024 * 1024;
  Bytes buffer = 256 * 1024;  // per direction of a tunnel
  Millis slow_client_timeout{10'000};
};

struct ShutdownConfig {
  Millis delay{0};
  Millis drain{30'000};
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kJson, kText };

struct LoggingConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
};

struct Config {
  std::vector<ListenerConfig> listeners;
  std::vector<UpstreamConfig> upstreams;
  std::vector<RouteConfig> routes;  // the first match wins
  LimitsConfig limits;
  ShutdownConfig shutdown;
  std::optional<Address> admin;  // none: no admin endpoint
  LoggingConfig logging;
  unsigned workers = 0;  // 0: auto, one per core that the process may use
};

}  // namespace connguard
