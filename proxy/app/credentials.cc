// Files to contexts, and again when the files change.
#include "app/credentials.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace connguard {

namespace {

void AddFiles(const CertificateFiles& pair, std::vector<std::string>& files) {
  files.push_back(pair.chain);
  files.push_back(pair.key);
}

std::vector<std::string> FilesOf(const ListenerConfig& listener) {
  std::vector<std::string> files;
  if (!listener.tls) return files;
  for (const CertificateFiles& pair : listener.tls->certificates) AddFiles(pair, files);
  if (!listener.tls->client_ca.empty()) files.push_back(listener.tls->client_ca);
  return files;
}

std::vector<std::string> FilesOf(const UpstreamConfig& upstream) {
  std::vector<std::string> files;
  if (!upstream.tls) return files;
  if (!upstream.tls->ca.empty()) files.push_back(upstream.tls->ca);
  if (upstream.tls->certificate) AddFiles(*upstream.tls->certificate, files);
  return files;
}

std::vector<std::string> FilesOf(const RouteConfig& route) {
  const bool has = route.auth && route.auth->jwt && !route.auth->jwt->keys_file.empty();
  return has ? std::vector{route.auth->jwt->keys_file} : std::vector<std::string>{};
}

// By content: links, copies and times of change do not matter.
CredentialStore::Stamps StampsOf(const Config& config) {
  CredentialStore::Stamps stamps;
  for (const std::string& file : CredentialFiles(config)) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    stamps[file] = std::hash<std::string>{}(text);
  }
  return stamps;
}

template <typename Result>
auto OrThrow(Result loaded) {
  if (loaded.value == nullptr) throw std::runtime_error(loaded.error);
  return std::move(loaded.value);
}

}  // namespace

std::vector<CertificateInfo> Credentials::Certificates() const {
  std::vector<CertificateInfo> all;
  const auto add = [&all](const auto& contexts) {
    for (const auto& context : contexts) {
      if (context == nullptr) continue;
      all.insert(all.end(), context->certificates().begin(), context->certificates().end());
    }
  };
  add(listeners);
  add(upstreams);
  return all;
}

std::vector<std::string> CredentialFiles(const Config& config) {
  std::vector<std::string> all;
  const auto add = [&all](const auto& entries) {
    for (const auto& entry : entries) {
      for (std::string& file : FilesOf(entry)) all.push_back(std::move(file));
    }
  };
  add(config.listeners);
  add(config.upstreams);
  add(config.routes);
  return all;
}

std::shared_ptr<const Credentials> CredentialStore::Load(const Config& config) {
  auto next = std::make_shared<Credentials>();
  Stamps stamps = StampsOf(config);  // first: what changes meanwhile counts as changed
  for (const ListenerConfig& listener : config.listeners) {
    next->listeners.push_back(listener.tls ? OrThrow(TlsServer::Load(*listener.tls, tickets_))
                                           : nullptr);
  }
  for (const UpstreamConfig& upstream : config.upstreams) {
    next->upstreams.push_back(
        upstream.tls ? OrThrow(TlsClient::Load(*upstream.tls, upstream.address.host)) : nullptr);
  }
  for (const RouteConfig& route : config.routes) {
    next->routes.push_back(
        route.auth && route.auth->jwt ? OrThrow(JwtVerifier::Load(*route.auth->jwt)) : nullptr);
  }
  stamps_ = std::move(stamps);
  last_ = std::move(next);
  return last_;
}

template <typename T, typename Loader>
void CredentialStore::RenewOne(const std::vector<std::string>& files, std::shared_ptr<const T>& one,
                               Loader load, Renewal& renewal) {
  const bool changed = std::ranges::any_of(files, [&](const std::string& file) {
    const auto before = stamps_.find(file);
    return before == stamps_.end() || before->second != renewal.stamps.at(file);
  });
  if (one == nullptr || !changed) return;
  auto loaded = load();
  if (loaded.value == nullptr) {
    renewal.errors.push_back(std::move(loaded.error));
  } else {
    one = std::move(loaded.value);
  }
}

CredentialStore::Renewal CredentialStore::Renew(const Config& config) {
  Renewal renewal{.stamps = StampsOf(config)};
  auto next = std::make_shared<Credentials>(*last_);
  for (std::size_t i = 0; i < next->listeners.size(); ++i) {
    const ListenerConfig& listener = config.listeners[i];
    RenewOne(
        FilesOf(listener), next->listeners[i],
        [&] { return TlsServer::Load(*listener.tls, tickets_); }, renewal);
  }
  for (std::size_t i = 0; i < next->upstreams.size(); ++i) {
    const UpstreamConfig& upstream = config.upstreams[i];
    RenewOne(
        FilesOf(upstream), next->upstreams[i],
        [&] { return TlsClient::Load(*upstream.tls, upstream.address.host); }, renewal);
  }
  for (std::size_t i = 0; i < next->routes.size(); ++i) {
    const RouteConfig& route = config.routes[i];
    RenewOne(
        FilesOf(route), next->routes[i], [&] { return JwtVerifier::Load(*route.auth->jwt); },
        renewal);
  }
  stamps_ = renewal.stamps;
  const bool same = next->listeners == last_->listeners && next->upstreams == last_->upstreams &&
                    next->routes == last_->routes;
  if (same) return renewal;
  last_ = std::move(next);
  renewal.credentials = last_;
  return renewal;
}

}  // namespace connguard
