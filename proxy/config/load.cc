// The configuration's top level, and the ways into the loader.
#include "config/load.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "config/address.h"
#include "config/file_access.h"
#include "config/file_text.h"
#include "config/key_trace.h"
#include "config/load_listeners.h"
#include "config/load_routes.h"
#include "config/load_turn.h"
#include "config/load_upstreams.h"
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

void ReadVersion(Section& root) {
  const std::optional<Value> value = root.Find("version");
  if (!value) {
    if (root.ok()) root.Error("'version' is missing; this is version: 1");
    return;
  }
  const std::optional<std::string> text = root.reader().Text(*value, "version");
  if (text && *text != "1") root.Error(*value, "version", "must be 1, found " + Quoted(*text));
}

void ReadNumber(Section& section, std::string_view key, std::size_t& out,
                Range<std::uint64_t> range) {
  std::uint64_t number = out;
  section.ReadCount(key, number, range);
  out = number;
}

void ReadLimits(Section& root, LimitsConfig& out) {
  std::optional<Section> limits = root.Sub("limits", "limits");
  if (!limits) return;
  ReadNumber(*limits, "connections", out.connections, {1, 10'000'000});
  ReadNumber(*limits, "connections_per_ip", out.connections_per_ip, {0, 10'000'000});
  ReadNumber(*limits, "handshakes_per_second_per_ip", out.handshakes_per_second_per_ip,
             {0, 1'000'000});
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

// True when there is to be a token, sound or not.
bool ReadToken(Section& admin, const NamedFiles& files, std::string& out) {
  const std::optional<Value> token = admin.Find("token");
  const std::optional<Value> in_file = admin.Find("token_file");
  const std::string_view key = in_file ? "token_file" : "token";
  if (token && in_file) {
    admin.Error(*in_file, key, "there is admin.token as well; keep one");
  } else if (in_file ? files.ReadSecret(admin, key, out) : admin.ReadText(key, out)) {
    const std::string why = TokenError(out);
    if (!why.empty()) admin.Error(*admin.Find(key), key, why);
  }
  return token || in_file;
}

void ReadAdmin(Section& root, const NamedFiles& files, Config& config) {
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
  const bool has_token = ReadToken(*admin, files, config.admin->token);
  admin->ReadBool("show_keys", config.admin->show_keys);
  if (ReadBind(*admin, config.admin->bind)) {
    for (const ListenerConfig& listener : config.listeners) {
      if (!Overlap(listener.bind, config.admin->bind)) continue;
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
  logging->ReadWord("level", out.level, kLogLevels);
  logging->ReadWord("format", out.format, kLogFormats);
  logging->ReadWord("target", out.target, kLogTargets);
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
  root.ReadBool("readable_keys", config.readable_keys);
  const NamedFiles files(root.reader().file(), config.readable_keys);
  config.listeners = ReadListeners(root, files);
  config.upstreams = ReadUpstreams(root, files);
  config.routes = ReadRoutes(root, config, turns, files);
  ReadLimits(root, config.limits);
  ReadShutdown(root, config.shutdown);
  ReadAdmin(root, files, config);
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
