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

template <typename Visit>
void CredentialStore::ForEach(const Config& config, Credentials& credentials, Visit visit) const {
  credentials.listeners.resize(config.listeners.size());
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerConfig& listener = config.listeners[i];
    if (!listener.tls) continue;
    visit(FilesOf(listener), credentials.listeners[i],
          [&] { return TlsServer::Load(*listener.tls, tickets_); });
  }
  credentials.upstreams.resize(config.upstreams.size());
  for (std::size_t i = 0; i < config.upstreams.size(); ++i) {
    const UpstreamConfig& upstream = config.upstreams[i];
    if (!upstream.tls) continue;
    visit(FilesOf(upstream), credentials.upstreams[i],
          [&] { return TlsClient::Load(*upstream.tls, upstream.address.host); });
  }
  credentials.routes.resize(config.routes.size());
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const RouteConfig& route = config.routes[i];
    if (!route.auth || !route.auth->jwt) continue;
    visit(FilesOf(route), credentials.routes[i],
          [&] { return JwtVerifier::Load(*route.auth->jwt); });
  }
}

std::shared_ptr<const Credentials> CredentialStore::Load(const Config& config) {
  auto next = std::make_shared<Credentials>();
  Stamps stamps = StampsOf(config);  // first: what changes meanwhile counts as changed
  ForEach(config, *next, [](const auto& /*files*/, auto& one, const auto& load) {
    auto loaded = load();
    if (loaded.value == nullptr) throw std::runtime_error(loaded.error);
    one = std::move(loaded.value);
  });
  stamps_ = std::move(stamps);
  last_ = std::move(next);
  return last_;
}

CredentialStore::Renewal CredentialStore::Renew(const Config& config) {
  Renewal renewal;
  auto next = std::make_shared<Credentials>(*last_);
  Stamps stamps = StampsOf(config);
  bool renewed = false;
  ForEach(config, *next, [&](const auto& files, auto& one, const auto& load) {
    const auto changed = [&](const std::string& file) { return stamps.at(file) != stamps_[file]; };
    if (std::ranges::none_of(files, changed)) return;
    auto loaded = load();
    if (loaded.value == nullptr) {
      renewal.errors.push_back(std::move(loaded.error));
      return;
    }
    one = std::move(loaded.value);
    renewed = true;
  });
  stamps_ = std::move(stamps);
  if (!renewed) return renewal;
  last_ = std::move(next);
  renewal.credentials = last_;
  return renewal;
}

}  // namespace connguard
