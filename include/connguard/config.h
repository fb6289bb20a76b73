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

// PEM files of a certificate: the chain, leaf first, and its private key.
struct CertificateFiles {
  std::string chain{};
  std::string key{};
};

enum class TlsVersion : std::uint8_t { k12, k13 };

struct ListenerTlsConfig {
  std::vector<CertificateFiles> certificates{};  // by SNI; the first is the default
  std::string client_ca{};                       // PEM file; not empty: a client has to have one
  TlsVersion min_version = TlsVersion::k12;
  // Headers that tell an upstream of the client's certificate; empty: not told. Taken out of what
  // any client sends.
  std::string subject_header{};      // RFC 4514 text of the subject
  std::string fingerprint_header{};  // SHA-256 of the certificate, in hex
};

struct ListenerConfig {
  std::string name;
  Address bind;
  std::optional<ListenerTlsConfig> tls;
  bool proxy_protocol = false;        // every connection begins with a PROXY header, v1 or v2
  std::vector<Cidr> trusted_proxies;  // peers whose X-Forwarded-*, Forwarded, PROXY are believed
};

struct UpstreamTlsConfig {
  std::string ca{};           // PEM file; empty: the system's
  std::string server_name{};  // for SNI and the check of the certificate
  bool verify = true;
  std::optional<CertificateFiles> certificate{};  // of our own, when the upstream asks for one
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
  std::optional<UpstreamTlsConfig> tls;  // https
  bool is_auth = false;                  // made for routes[].auth.forward: no route names it
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
  enum class Source : std::uint8_t { kText, kPath, kQuery, kHeader, kCookie, kClientIp, kJwt };
  Source source = Source::kText;
  std::string name;  // the text itself for kText; a claim for kJwt; unused for kClientIp
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

// Where a request can carry a token.
struct TokenPlace {
  enum class Kind : std::uint8_t {
    kBearer,       // Authorization: Bearer
    kHeader,       // the whole value of the header `name`
    kQuery,        // the query parameter `name`
    kCookie,       // the cookie `name`
    kSubprotocol,  // the entry of Sec-WebSocket-Protocol that begins with `name`
  };
  Kind kind = Kind::kBearer;
  std::string name{};
};

enum class JwtAlgorithm : std::uint8_t {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,
};

// RFC 7519 tokens that are believed.
struct JwtConfig {
  std::vector<JwtAlgorithm> algorithms{};  // never guessed from a token
  std::string secret{};                    // for HS*; otherwise empty
  std::string keys_file{};                 // PEM or JWKS, for the others
  std::string issuer{};                    // empty: any
  std::vector<std::string> audiences{};    // one of them; none: any
  Millis leeway{30'000};                   // for exp and nbf
  std::vector<TokenPlace> places{{}};      // the first that holds one
};

// A sub-request decides: 2xx admits, 401 and 403 are passed on, all else is 503.
struct ForwardAuthConfig {
  std::size_t upstream = 0;            // index into Config::upstreams; its `is_auth` is set
  std::string target{};                // path and query of the sub-request
  Millis timeout{5'000};               // for the whole of it
  std::vector<std::string> headers{};  // of its answer, that go upstream
};

struct AuthConfig {
  std::optional<JwtConfig> jwt{};  // at least one of the two
  std::optional<ForwardAuthConfig> forward{};
};

// One entry of routes[].origins.
struct OriginPattern {
  std::string scheme{};        // lower case; empty: `null`
  std::string host{};          // lower case, without the `*.`
  std::uint16_t port = 0;      // the scheme's where none was said
  bool any_subdomain = false;  // `*.host`: one label or more before it

  friend bool operator==(const OriginPattern&, const OriginPattern&) = default;
};

// A credential that is moved out of the URL before the request goes upstream.
struct LiftConfig {
  std::string query{};   // the parameter; it is stripped
  std::string header{};  // where its value goes
  std::string before{};  // of the value: `Bearer `
  std::string after{};
};

struct RouteConfig {
  std::string name;
  RouteMatch match;
  std::size_t upstream = 0;            // index into Config::upstreams
  std::vector<OriginPattern> origins;  // none: any, and none at all
  std::optional<AuthConfig> auth;
  std::vector<std::string> strip_query;  // parameters that do not go upstream
  std::optional<LiftConfig> lift;
  SessionConfig session;
  TurnProfile turn;
  Compression compression = Compression::kPassthrough;
  HeartbeatPolicy client_heartbeat;
  HeartbeatPolicy upstream_heartbeat;
  bool forward_pings = false;  // pings and pongs of either peer go to the other one
  std::vector<CloseCodeChoice> close_codes;
};

struct LimitsConfig {
  std::size_t connections = 10'000;              // client connections of the whole process
  std::size_t connections_per_ip = 0;            // at a time; v6: per /64; 0: no limit
  std::size_t handshakes_per_second_per_ip = 0;  // twice as many at once; 0: no limit
  Millis handshake_timeout{10'000};              // for a whole request head
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

// Of a request, in the lines that tell what became of it. A path may name a user; a query may hold
// a credential.
enum class LogTarget : std::uint8_t { kNone, kPath, kFull };

struct LoggingConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
  LogTarget target = LogTarget::kNone;
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
  bool readable_keys = false;  // files of keys and secrets may be open to everybody on the machine
  unsigned workers = 0;        // 0: auto, one per core that the process may use
};

}  // namespace connguard
