// Compares what print-config says of both: a key that it prints is a key that is compared.
#include "config/reload_plan.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string_view>

#include "config/load.h"

namespace connguard {

namespace {

// `routes.chat: session.settle` and what is said there.
using Keys = std::map<std::string, std::string>;

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string Inline(const YAML::Node& node) {
  YAML::Emitter out;
  out.SetSeqFormat(YAML::Flow);
  out.SetMapFormat(YAML::Flow);
  out << node;
  return out.c_str();
}

bool IsNamed(const YAML::Node& node) {
  return node.IsSequence() && node.size() > 0 && node[0].IsMap() && node[0]["name"];
}

void AddKeys(const std::string& section, const std::string& path, const YAML::Node& node,
             Keys& keys) {
  if (node.IsMap() && node.size() > 0) {
    for (const auto& entry : node) {
      const auto word = entry.first.as<std::string>();
      if (word == "name" && path.empty()) continue;  // it is in the section's name
      AddKeys(section, path.empty() ? word : Join({path, ".", word}), entry.second, keys);
    }
    return;
  }
  keys[path.empty() ? section : Join({section, ": ", path})] = Inline(node);
}

Keys KeysOf(const YAML::Node& root) {
  Keys keys;
  for (const auto& entry : root) {
    const auto word = entry.first.as<std::string>();
    if (!IsNamed(entry.second)) {
      AddKeys(word, {}, entry.second, keys);
      continue;
    }
    for (const YAML::Node& item : entry.second) {
      AddKeys(word + "." + item["name"].as<std::string>(), {}, item, keys);
    }
  }
  return keys;
}

// The names of `routes` and the like, in order.
std::vector<std::string> NamesOf(const YAML::Node& list) {
  std::vector<std::string> names;
  for (const YAML::Node& item : list) names.push_back(item["name"].as<std::string>());
  return names;
}

std::string List(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string SectionOf(const std::string& key) { return key.substr(0, key.find(':')); }

// `sockets_stay`: only then can listeners have anything changed.
bool NeedsRestart(std::string_view key, bool sockets_stay) {
  return key == "workers" || key == "admin" || key.starts_with("admin:") ||
         (key.starts_with("listeners.") && !sockets_stay);
}

bool SameSockets(const Config& a, const Config& b) {
  return std::ranges::equal(a.listeners, b.listeners,
                            [](const ListenerConfig& one, const ListenerConfig& other) {
                              return one.name == other.name && one.bind == other.bind &&
                                     one.tls.has_value() == other.tls.has_value() &&
                                     one.proxy_protocol == other.proxy_protocol;
                            });
}

const std::string* SecretOf(const Config& config, const std::string& name) {
  const auto route = std::ranges::find(config.routes, name, &RouteConfig::name);
  const bool has_jwt = route != config.routes.end() && route->auth && route->auth->jwt;
  return has_jwt ? &route->auth->jwt->secret : nullptr;
}

// PrintConfig does not show them.
void AddSecrets(const Config& in_force, const Config& next, ReloadPlan& plan) {
  for (const RouteConfig& route : next.routes) {
    const std::string* const before = SecretOf(in_force, route.name);
    const std::string* const after = SecretOf(next, route.name);
    if (before == nullptr || after == nullptr || before->empty() || after->empty()) continue;
    if (*before != *after)
      plan.live.push_back("routes." + route.name + ": auth.jwt.secret: changed");
  }
}

// Whole entries of a list, and then keys.
void Compare(const Keys& before, const Keys& after, bool sockets_stay, ReloadPlan& plan) {
  const auto has_section = [](const Keys& keys, const std::string& section) {
    const auto found = keys.lower_bound(section + ":");
    return found != keys.end() && SectionOf(found->first) == section;
  };
  const auto say = [&plan, sockets_stay](const std::string& key, const std::string& line) {
    std::vector<std::string>& lines = NeedsRestart(key, sockets_stay) ? plan.restart : plan.live;
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
  };
  // `{...}` stands for a whole section where the other side has a word: `admin: off`.
  for (const auto& [key, value] : before) {
    const std::string section = SectionOf(key);
    const bool whole = section != key && !has_section(after, section);
    if (whole && !after.contains(section)) {
      say(section, section + ": removed");
    } else if (const auto now = after.find(key); now != after.end()) {
      if (now->second != value) say(key, Join({key, ": ", value, " -> ", now->second}));
    } else if (!whole) {
      say(key, Join({key, ": ", value, has_section(after, key) ? " -> {...}" : " -> (none)"}));
    }
  }
  for (const auto& [key, value] : after) {
    const std::string section = SectionOf(key);
    const bool whole = section != key && !has_section(before, section);
    if (before.contains(key)) continue;
    if (whole && !before.contains(section)) {
      say(section, section + ": added");
    } else if (!whole) {
      say(key, Join({key, has_section(before, key) ? ": {...} -> " : ": (none) -> ", value}));
    }
  }
}

}  // namespace

ReloadPlan PlanReload(const Config& in_force, const Config& next) {
  ReloadPlan plan;
  const YAML::Node before = YAML::Load(PrintConfig(in_force));
  const YAML::Node after = YAML::Load(PrintConfig(next));
  const bool sockets_stay = SameSockets(in_force, next);
  Compare(KeysOf(before), KeysOf(after), sockets_stay, plan);
  std::vector<std::string> old_order = NamesOf(before["routes"]);
  std::vector<std::string> new_order = NamesOf(after["routes"]);
  if (old_order != new_order && std::ranges::is_permutation(old_order, new_order)) {
    plan.live.push_back("routes: order: " + List(old_order) + " -> " + List(new_order));
  }
  const auto token = [](const Config& config) {
    return config.admin ? config.admin->token : std::string();
  };
  // PrintConfig does not show it.
  if (!token(in_force).empty() && !token(next).empty() && token(in_force) != token(next)) {
    plan.restart.emplace_back("admin: token: changed");
  }
  AddSecrets(in_force, next, plan);
  plan.applicable = next;
  plan.applicable.workers = in_force.workers;
  plan.applicable.admin = in_force.admin;
  if (!sockets_stay) plan.applicable.listeners = in_force.listeners;
  return plan;
}

}  // namespace connguard
