#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "tls/openssl_error.h"
#include "tls/pem.h"
#include "tls/settings.h"
#include "tls/stream_state.h"
#include "tls/ticket_keys.h"
#include "tls/tls_context.h"

namespace connguard {
namespace {

// Indices of certificates that are offered together: one for each type of key.
using Group = std::vector<std::size_t>;

int OnAlpn(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
           const unsigned char* offered, unsigned offered_size, void* /*argument*/) noexcept {
  unsigned char* match = nullptr;
  if (SSL_select_next_proto(&match, size, kAlpn, kAlpnSize, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return lower;
}

// Ties tickets to whom a listener trusts: one that was given without asking for a certificate, or
// to a client of another CA, is no way past client_ca.
std::array<unsigned char, 32> SessionContext(std::span<const CertificatePtr> authorities) {
  std::array<unsigned char, 32> digest{};
  EVP_MD_CTX* sum = EVP_MD_CTX_new();
  EVP_DigestInit_ex(sum, EVP_sha256(), nullptr);
  for (const CertificatePtr& authority : authorities) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> one{};
    unsigned size = 0;
    X509_digest(authority.get(), EVP_sha256(), one.data(), &size);
    EVP_DigestUpdate(sum, one.data(), size);
  }
  EVP_DigestFinal_ex(sum, digest.data(), nullptr);
  EVP_MD_CTX_free(sum);
  return digest;
}

}  // namespace

struct TlsServer::Impl {
  std::shared_ptr<TicketKeys> keys{};
  std::vector<Credential> credentials{};
  std::vector<CertificateInfo> infos{};
  std::vector<CertificatePtr> authorities{};
  std::map<Group, SslContextPtr> settings{};
  std::map<std::string, Group, std::less<>> names{};  // exact, or `*.` and the rest
  SSL_CTX* first = nullptr;

  std::string Load(const ListenerTlsConfig& config);
  std::string AddSettings(const Group& group, const ListenerTlsConfig& config);
  std::string AskForCertificate(SSL_CTX* context, const ListenerTlsConfig& config) const;
  void Offer(Group& group, std::size_t index) const;
  Group DefaultGroup() const;
  SSL_CTX* For(std::string_view name) const;

  static int OnServerName(SSL* ssl, int* alert, void* impl) noexcept;
};

std::string TlsServer::Impl::Load(const ListenerTlsConfig& config) {
  if (config.certificates.empty()) {
    return "TLS without a certificate";
  }
  for (const CertificateFiles& files : config.certificates) {
    if (std::string error = LoadCredential(files, credentials.emplace_back()); !error.empty()) {
      return error;
    }
    infos.push_back(InfoOf(credentials.back()));
  }
  if (!config.client_ca.empty()) {
    if (std::string error = LoadCertificates(config.client_ca, authorities); !error.empty()) {
      return error;
    }
  }
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    for (const std::string& name : credentials[i].names) {
      Offer(names[name], i);
    }
  }
  const Group by_default = DefaultGroup();
  if (std::string error = AddSettings(by_default, config); !error.empty()) {
    return error;
  }
  first = settings[by_default].get();
  for (const auto& [name, group] : names) {
    if (std::string error = AddSettings(group, config); !error.empty()) {
      return error;
    }
  }
  return {};
}

// The first of each type of key wins.
void TlsServer::Impl::Offer(Group& group, std::size_t index) const {
  const auto type_of = [&](std::size_t i) {
    return EVP_PKEY_get_base_id(credentials[i].key.get());
  };
  if (std::ranges::none_of(group, [&](std::size_t i) { return type_of(i) == type_of(index); })) {
    group.push_back(index);
  }
}

Group TlsServer::Impl::DefaultGroup() const {
  Group group;
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    if (credentials[i].names == credentials[0].names) {
      Offer(group, i);
    }
  }
  return group;
}

std::string TlsServer::Impl::AddSettings(const Group& group, const ListenerTlsConfig& config) {
  SslContextPtr& made = settings[group];
  if (made) {
    return {};
  }
  made = NewSettings(TlsRole::kServer);
  SSL_CTX* const context = made.get();
  for (const std::size_t index : group) {
    if (std::string error = UseCredential(context, credentials[index]); !error.empty()) {
      return error;
    }
  }
  if (config.min_version == TlsVersion::k13) {
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  }
  SSL_CTX_set_alpn_select_cb(context, OnAlpn, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, OnServerName);
  SSL_CTX_set_tlsext_servername_arg(context, this);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, std::chrono::seconds(2 * TicketKeys::kUse).count());
  SSL_CTX_set_num_tickets(context, 1);  // with each use of one comes the next
  UseTicketKeys(context, keys.get());
  const std::array<unsigned char, 32> id = SessionContext(authorities);
  SSL_CTX_set_session_id_context(context, id.data(), id.size());
  return config.client_ca.empty() ? std::string() : AskForCertificate(context, config);
}

std::string TlsServer::Impl::AskForCertificate(SSL_CTX* context,
                                               const ListenerTlsConfig& config) const {
  if (std::string error = Trust(context, authorities, config.client_ca); !error.empty()) {
    return error;
  }
  for (const CertificatePtr& authority : authorities) {
    SSL_CTX_add_client_CA(context, authority.get());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, OnVerify);
  return {};
}

SSL_CTX* TlsServer::Impl::For(std::string_view name) const {
  auto found = names.find(name);
  if (const std::size_t dot = name.find('.'); found == names.end() && dot != name.npos) {
    found = names.find("*" + std::string(name.substr(dot)));
  }
  return found == names.end() ? first : settings.at(found->second).get();
}

int TlsServer::Impl::OnServerName(SSL* ssl, int* /*alert*/, void* impl) noexcept {
  const auto& server = *static_cast<const Impl*>(impl);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  SSL_set_SSL_CTX(ssl, server.For(Lower(name)));
  return SSL_TLSEXT_ERR_OK;
}

TlsServer::TlsServer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
TlsServer::~TlsServer() = default;

Loaded<TlsServer> TlsServer::Load(const ListenerTlsConfig& config,
                                  std::shared_ptr<TicketKeys> keys) {
  auto impl = std::make_shared<Impl>();
  impl->keys = std::move(keys);
  if (std::string error = impl->Load(config); !error.empty()) {
    return {.error = std::move(error)};
  }
  return {.value = std::shared_ptr<const TlsServer>(new TlsServer(std::move(impl)))};
}

std::unique_ptr<TlsStream> TlsServer::Accept() const {
  return std::make_unique<TlsStream::Impl>(impl_->first, impl_, TlsRole::kServer);
}

const std::vector<CertificateInfo>& TlsServer::certificates() const { return impl_->infos; }

}  // namespace connguard
