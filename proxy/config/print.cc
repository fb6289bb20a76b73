// PrintConfig: every key with its value in force, in the order of conf/connguard.yaml.
#include <algorithm>

#include "config/load.h"
#include "config/pattern.h"
#include "config/scalars.h"

namespace connguard {
namespace {

// A scalar that the loader reads back as `text`: $ doubled, quotes where YAML might see more in it.
std::string Scalar(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./:-").find(c) != std::string_view::npos;
  };
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const bool plain = !text.empty() && std::ranges::all_of(text, is_plain) &&
                     !text.starts_with('-') && !text.starts_with(':') && !text.ends_with(':') &&
                     lower != "null";
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '$') quoted += '$';
    quoted += c;
  }
  return quoted + "\"";
}

std::string List(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + Scalar(item);
  return "[" + text + "]";
}

std::string_view WordOf(bool value) { return value ? "true" : "false"; }

std::string_view WordOf(OnConflict value) {
  switch (value) {
    case OnConflict::kTakeover:
      return "takeover";
    case OnConflict::kReject:
      return "reject";
    case OnConflict::kShare:
      return "share";
  }
  return {};
}

std::string_view WordOf(LogLevel value) {
  switch (value) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return {};
}

std::string_view WordOf(LogFormat value) {
  switch (value) {
    case LogFormat::kJson:
      return "json";
    case LogFormat::kLogfmt:
      return "logfmt";
    case LogFormat::kText:
      return "text";
  }
  return {};
}

// Lines of YAML, one key each.
class Page {
 public:
  void Line(int indent, std::string_view text) {
    text_.append(static_cast<std::size_t>(indent), ' ').append(text).append("\n");
  }
  void Pair(int indent, std::string_view key, std::string_view value) {
    Line(indent, std::string(key) + ": " + std::string(value));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void PrintUpstream(const UpstreamConfig& upstream, Page& page) {
  page.Pair(2, "- name", Scalar(upstream.name));
  page.Pair(4, "url", Scalar(upstream.url));
  page.Pair(4, "connect_timeout", FormatDuration(upstream.connect_timeout));
  page.Pair(4, "handshake_timeout", FormatDuration(upstream.handshake_timeout));
  page.Pair(4, "response_timeout", FormatDuration(upstream.response_timeout));
  page.Pair(4, "keepalive",
            "{idle: " + FormatDuration(upstream.keepalive.idle) +
                ", connections: " + std::to_string(upstream.keepalive.connections) + "}");
  page.Pair(4, "forwarded", WordOf(upstream.forwarded));
  page.Pair(4, "via", WordOf(upstream.via));
  page.Pair(4, "traceparent", WordOf(upstream.traceparent));
}

void PrintMatch(const RouteMatch& match, Page& page) {
  const bool any = match.path.empty() && match.host.empty() && match.headers.empty();
  page.Line(4, any ? "match: {}" : "match:");
  if (!match.path.empty()) page.Pair(6, "path", Scalar(FormatPathPattern(match.path)));
  if (!match.host.empty()) page.Pair(6, "host", Scalar(match.host));
  if (!match.headers.empty()) page.Line(6, "header:");
  for (const HeaderMatch& header : match.headers) {
    // A key is not expanded, so its $ must not be doubled; a header's name needs no escapes.
    page.Line(8, "\"" + header.name + "\": " + Scalar(header.value));
  }
}

void PrintSession(const SessionConfig& session, Page& page) {
  page.Line(4, "session:");
  std::vector<std::string> keys;
  for (const KeyTemplate& key : session.key) keys.push_back(FormatKeyTemplate(key));
  if (!keys.empty()) page.Pair(6, "key", List(keys));
  page.Pair(6, "methods", List(session.methods));
  page.Pair(6, "on_conflict", WordOf(session.on_conflict));
  page.Pair(6, "on_drop", session.on_drop == OnDrop::kFinish ? "finish" : "close");
  page.Pair(6, "wait", FormatDuration(session.wait));
  page.Pair(6, "settle", FormatDuration(session.settle));
  if (session.barrier_path) {
    page.Line(6, "barrier:");
    page.Pair(8, "path", Scalar(*session.barrier_path));
  }
  page.Pair(6, "close_timeout", FormatDuration(session.close_timeout));
}

void PrintTurn(const TurnProfile& turn, Page& page) {
  page.Line(4, "turn:");
  if (!turn.name.empty()) page.Pair(6, "name", Scalar(turn.name));
  switch (turn.policy.end) {
    case TurnEnd::kQuiet:
      page.Pair(6, "end", "quiet");
      break;
    case TurnEnd::kEachAnswer:
      page.Pair(6, "end", "each-answer");
      break;
    case TurnEnd::kMatch:
      page.Line(6, "end:");
      page.Pair(8, "json", Scalar(turn.end_pointer));
      page.Pair(8, "in", List(turn.end_values));
      break;
  }
  page.Pair(6, "quiet", FormatDuration(turn.policy.quiet));
  page.Pair(6, "max", FormatDuration(turn.policy.max));
  page.Pair(6, "linger", FormatDuration(turn.linger));
  page.Pair(6, "window", std::to_string(turn.policy.window));
  page.Pair(6, "accept", turn.accept_json_object ? "json-object" : "any");
}

void PrintHeartbeat(const RouteConfig& route, Page& page) {
  const auto leg = [](const HeartbeatPolicy& policy) {
    return "{interval: " + FormatDuration(policy.interval) +
           ", timeout: " + FormatDuration(policy.timeout) + "}";
  };
  page.Line(4, "heartbeat:");
  page.Pair(6, "client", leg(route.client_heartbeat));
  page.Pair(6, "upstream", leg(route.upstream_heartbeat));
  page.Pair(6, "forward", WordOf(route.forward_pings));
}

void PrintCloseCodes(const std::vector<CloseCodeChoice>& codes, Page& page) {
  page.Line(4, codes.empty() ? "close_codes: {}" : "close_codes:");
  for (const auto& [cause, code] : codes) {
    page.Pair(6, Describe(cause).word, std::to_string(static_cast<unsigned>(code)));
  }
}

void PrintAdmin(const AdminConfig& admin, Page& page) {
  page.Pair(2, "bind", Scalar(admin.bind.ToString()));
  // Loads only where somebody gives the variable a value: never as a token that everybody knows.
  if (!admin.token.empty()) page.Pair(2, "token", "${CONNGUARD_ADMIN_TOKEN}  # not shown");
  page.Pair(2, "show_keys", WordOf(admin.show_keys));
}

void PrintProcess(const Config& config, Page& page) {
  const LimitsConfig& limits = config.limits;
  page.Line(0, "limits:");
  page.Pair(2, "connections", std::to_string(limits.connections));
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
  page.Pair(2, "level", WordOf(config.logging.level));
  page.Pair(2, "format", WordOf(config.logging.format));
  page.Pair(0, "workers", config.workers == 0 ? "auto" : std::to_string(config.workers));
}

}  // namespace

std::string PrintConfig(const Config& config) {
  Page page;
  page.Line(0, "version: 1");
  page.Line(0, "listeners:");
  for (const ListenerConfig& listener : config.listeners) {
    page.Pair(2, "- name", Scalar(listener.name));
    page.Pair(4, "bind", Scalar(listener.bind.ToString()));
    std::vector<std::string> trusted;
    for (const Cidr& block : listener.trusted_proxies) trusted.push_back(block.ToString());
    page.Pair(4, "trusted_proxies", List(trusted));
  }
  page.Line(0, "upstreams:");
  for (const UpstreamConfig& upstream : config.upstreams) PrintUpstream(upstream, page);
  page.Line(0, "routes:");
  for (const RouteConfig& route : config.routes) {
    page.Pair(2, "- name", Scalar(route.name));
    PrintMatch(route.match, page);
    page.Pair(4, "upstream", Scalar(config.upstreams[route.upstream].name));
    PrintSession(route.session, page);
    PrintTurn(route.turn, page);
    page.Pair(4, "compression", route.compression == Compression::kOff ? "off" : "passthrough");
    PrintHeartbeat(route, page);
    PrintCloseCodes(route.close_codes, page);
  }
  PrintProcess(config, page);
  return page.Take();
}

}  // namespace connguard
