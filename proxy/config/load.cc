// The configuration's top level, and the ways into the loader.
#include "config/load.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "config/address.h"
#include "config/cidr.h"
#include "config/file_text.h"
#include "config/key_trace.h"
#include "config/load_routes.h"
#include "config/load_turn.h"
#include "config/scalars.h"
#include "config/section.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

constexpr Bytes kKiB = 1024;
constexpr Bytes kMiB = 1024 * kKiB;
constexpr Bytes kGiB = 1024 * kMiB;
constexpr Bytes kTiB = 1024 * kGiB;
constexpr std::uint64_t kMostWorkers = 64;

constexpr Word<LogLevel> kLevels[] = {{"debug", LogLevel::kDebug},
                                      {"info", LogLevel::kInfo},
                                      {"warn", LogLevel::kWarn},
                                      {"error", LogLevel::kError},
                                      {"off", LogLevel::kOff}};
constexpr Word<LogFormat> kFormats[] = {
    {"json", LogFormat::kJson}, {"logfmt", LogFormat::kLogfmt}, {"text", LogFormat::kText}};

void ReadVersion(Section& root) {
  const std::optional<Value> value = root.Find("version");
  if (!value) {
    if (root.ok()) root.Error("'version' is missing; this is version: 1");
    return;
  }
  const std::optional<std::string> text = root.reader().Text(*value, "version");
  if (text && *text != "1") root.Error(*value, "version", "must be 1, found " + Quoted(*text));
}

bool ReadBind(Section& section, Address& out) {
  std::string text;
  section.Require("bind");
  if (!section.ReadText("bind", text)) return false;
  Parsed<Address> address = ParseAddress(text, true);
  if (!address) {
    section.Error(*section.Find("bind"), "bind", address.error);
    return false;
  }
  out = *std::move(address.value);
  return true;
}

bool SameSocket(const Address& a, const Address& b) {
  return a == b && (a.is_unix() || a.port != 0);
}

void ReadTrustedProxies(Section& listener, std::vector<Cidr>& out) {
  const std::string_view key = "trusted_proxies";
  const std::optional<Value> list = listener.Find(key);
  if (!list) return;
  for (const Value& item : listener.reader().ItemsOrNone(*list, listener.LabelOf(key))) {
    const std::optional<std::string> text = listener.reader().Text(item, listener.LabelOf(key));
    if (!text) continue;
    const Parsed<Cidr> block = ParseCidr(*text);
    if (!block) {
      listener.Error(item, key, block.error);
    } else if (std::ranges::find(out, *block.value) != out.end()) {
      listener.Error(item, key, Quoted(*text) + " is there twice");
    } else {
      out.push_back(*block.value);
    }
  }
}

std::vector<ListenerConfig> ReadListeners(Section& root) {
  std::vector<ListenerConfig> listeners;
  const std::optional<Value> list = root.Require("listeners");
  if (!list) return listeners;
  NameCheck names;
  for (const Value& item : root.reader().Items(*list, "listeners")) {
    Section section(root.reader(), item, "listeners", "listeners");
    ListenerConfig listener;
    if (!section.ok()) continue;
    section.ReadName("name", listener.name);
    names.Add(section, listener.name);
    if (ReadBind(section, listener.bind)) {
      const auto other = std::ranges::find_if(listeners, [&](const ListenerConfig& earlier) {
        return SameSocket(earlier.bind, listener.bind);
      });
      if (other != listeners.end()) {
        section.Error(*section.Find("bind"), "bind",
                      Quoted(listener.bind.ToString()) + " is taken by " + Quoted(other->name));
      }
    }
    ReadTrustedProxies(section, listener.trusted_proxies);
    section.Finish();
    listeners.push_back(std::move(listener));
  }
  return listeners;
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

std::vector<UpstreamConfig> ReadUpstreams(Section& root) {
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
    section.Require("url");
    if (section.ReadText("url", upstream.url)) {
      Parsed<Address> address = ParseUpstreamUrl(upstream.url);
      if (!address) section.Error(*section.Find("url"), "url", address.error);
      upstream.address = std::move(address.value).value_or(Address{});
    }
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

void ReadLimits(Section& root, LimitsConfig& out) {
  std::optional<Section> limits = root.Sub("limits", "limits");
  if (!limits) return;
  std::uint64_t connections = out.connections;
  limits->ReadCount("connections", connections, {1, 10'000'000});
  out.connections = connections;
  limits->ReadDuration("handshake_timeout", out.handshake_timeout, {1ms, 10min});
  limits->ReadSize("header_size", out.header_size, {1 * kKiB, 1 * kMiB});
  limits->ReadSize("message_size", out.message_size, {1 * kKiB, 1 * kGiB});
  limits->ReadSize("buffer", out.buffer, {16 * kKiB, 64 * kMiB});
  if (limits->ReadSize("buffer_total", out.buffer_total, {1 * kMiB, 1024 * kGiB}) &&
      out.buffer_total < out.buffer) {
    limits->Error(*limits->Find("buffer_total"), "buffer_total",
                  "is less than limits.buffer, which one direction alone may hold");
  }
  limits->ReadDuration("slow_client_timeout", out.slow_client_timeout, {1ms, 10min});
  limits->ReadDuration("keepalive_timeout", out.keepalive_timeout, {1ms, 1h});
  limits->ReadDuration("body_timeout", out.body_timeout, {1ms, 1h});
  limits->ReadSize("body_size", out.body_size, {0, 1 * kTiB});
  limits->Finish();
}

void ReadShutdown(Section& root, ShutdownConfig& out) {
  std::optional<Section> shutdown = root.Sub("shutdown", "shutdown");
  if (!shutdown) return;
  shutdown->ReadDuration("delay", out.delay, {0ms, 1h});
  shutdown->ReadDuration("drain", out.drain, {0ms, 24h});
  shutdown->Finish();
}

// RFC 6750's b64token, long enough not to be guessed.
std::string TokenError(std::string_view token) {
  constexpr std::size_t kShortest = 16;
  constexpr std::size_t kLongest = 512;
  const bool sound = std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
  if (sound && token.size() >= kShortest && token.size() <= kLongest) return {};
  return "a token is 16 to 512 letters, digits and -._~+/=, as `openssl rand -hex 32` prints them";
}

Parsed<std::string> TokenOfFile(const std::string& path) {
  Parsed<std::string> text = ReadFileText(path);
  if (!text) return Parsed<std::string>::Failed(Quoted(path) + " " + text.error);
  while (text.value->ends_with('\n') || text.value->ends_with('\r')) text.value->pop_back();
  return text;
}

// True when there is to be a token, sound or not.
bool ReadToken(Section& admin, std::string& out) {
  std::string_view key = "token";
  Parsed<std::string> token;
  std::string text;
  std::string path;
  if (admin.ReadText(key, text)) token = Parsed<std::string>::Of(text);
  const bool in_file = admin.ReadText("token_file", path);
  if (in_file && admin.Find("token")) {
    admin.Error(*admin.Find("token_file"), "token_file", "there is admin.token as well; keep one");
    return true;
  }
  if (in_file) {
    key = "token_file";
    // As an operator reads it: beside the configuration.
    token = TokenOfFile(std::filesystem::path(admin.reader().file()).parent_path() / path);
  }
  if (token.value) token.error = TokenError(*token.value);
  if (!token.error.empty()) admin.Error(*admin.Find(key), key, token.error);
  out = std::move(token.value).value_or("");
  return admin.Find("token") || admin.Find("token_file");
}

void ReadAdmin(Section& root, Config& config) {
  config.admin.emplace();
  config.admin->bind = {.host = "127.0.0.1", .port = kDefaultAdminPort, .path = {}};
  const std::optional<Value> value = root.Find("admin");
  if (!value) return;
  if (value->node.IsScalar()) {
    const std::optional<std::string> text = root.reader().Text(*value, "admin");
    if (text && *text != "off" && *text != "false") {
      root.Error(*value, "admin", "expected 'off' or {bind: host:port}, found " + Quoted(*text));
    }
    config.admin.reset();
    return;
  }
  std::optional<Section> admin = root.Sub("admin", "admin");
  const bool has_token = ReadToken(*admin, config.admin->token);
  admin->ReadBool("show_keys", config.admin->show_keys);
  if (ReadBind(*admin, config.admin->bind)) {
    for (const ListenerConfig& listener : config.listeners) {
      if (!SameSocket(listener.bind, config.admin->bind)) continue;
      admin->Error(*admin->Find("bind"), "bind",
                   Quoted(listener.bind.ToString()) + " is taken by " + Quoted(listener.name));
    }
    const std::string exposed = has_token ? "" : WhyExposed(*config.admin);
    if (!exposed.empty()) admin->Error(*admin->Find("bind"), "bind", exposed);
  }
  admin->Finish();
}

void ReadLogging(Section& root, LoggingConfig& out) {
  std::optional<Section> logging = root.Sub("logging", "logging");
  if (!logging) return;
  logging->ReadWord("level", out.level, kLevels);
  logging->ReadWord("format", out.format, kFormats);
  logging->Finish();
}

void ReadWorkers(Section& root, unsigned& out) {
  std::string text;
  if (!root.ReadText("workers", text) || text == "auto") return;
  const Parsed<std::uint64_t> count = ParseCount(text);
  if (!count || *count.value < 1 || *count.value > kMostWorkers) {
    root.Error(*root.Find("workers"), "workers",
               "expected auto or 1 to " + std::to_string(kMostWorkers) + ", found " + Quoted(text));
    return;
  }
  out = static_cast<unsigned>(*count.value);
}

void ReadAll(Section& root, TurnReader& turns, Config& config) {
  ReadVersion(root);
  config.listeners = ReadListeners(root);
  config.upstreams = ReadUpstreams(root);
  config.routes = ReadRoutes(root, config.upstreams, turns);
  ReadLimits(root, config.limits);
  ReadShutdown(root, config.shutdown);
  ReadAdmin(root, config);
  ReadLogging(root, config.logging);
  ReadWorkers(root, config.workers);
  root.Finish();
}

}  // namespace

std::string WhyExposed(const AdminConfig& admin) {
  if (IsLocal(admin.bind) || !admin.token.empty()) return {};
  return Quoted(admin.bind.ToString()) +
         " can be reached from other machines, so it needs admin.token or admin.token_file; "
         "without "
         "one, bind 127.0.0.1 or unix:/path";
}

LoadResult LoadConfigTextTraced(const std::string& text, const std::string& file,
                                const Environment& env,
                                const std::vector<std::string>& profile_dirs, KeyTrace* trace) {
  LoadResult result;
  if (text.size() > kLargestConfig) {
    result.diagnostics.push_back({file, 0, 0, "is larger than 1MiB"});
    return result;
  }
  Reader reader(file, text, env, result.diagnostics, trace);
  Config config;
  if (std::optional<Value> value = reader.Parse()) {
    TurnReader turns(env, result.diagnostics, profile_dirs);
    Section root(reader, *std::move(value), "", "");
    if (root.ok()) ReadAll(root, turns, config);
  }
  std::ranges::stable_sort(result.diagnostics, {}, [&](const Diagnostic& diagnostic) {
    return std::tuple(diagnostic.file != file, diagnostic.file, diagnostic.line, diagnostic.column);
  });
  if (result.diagnostics.empty()) result.config = std::move(config);
  return result;
}

LoadResult LoadConfigText(const std::string& text, const std::string& file, const Environment& env,
                          const std::vector<std::string>& profile_dirs) {
  return LoadConfigTextTraced(text, file, env, profile_dirs, nullptr);
}

LoadResult LoadConfigFile(const std::string& path, const Environment& env,
                          const std::vector<std::string>& profile_dirs) {
  const Parsed<std::string> text = ReadFileText(path);
  if (!text) return {std::nullopt, {{path, 0, 0, text.error}}};
  std::vector<std::string> dirs{std::filesystem::path(path).parent_path() / "profiles"};
  dirs.insert(dirs.end(), profile_dirs.begin(), profile_dirs.end());
  return LoadConfigText(*text.value, path, env, dirs);
}

}  // namespace connguard
