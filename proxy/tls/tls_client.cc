#include <openssl/x509v3.h>

#include <mutex>
#include <utility>

#include "tls/openssl_error.h"
#include "tls/pem.h"
#include "tls/settings.h"
#include "tls/stream_state.h"
#include "tls/tls_context.h"

namespace connguard {
namespace {

bool IsAddress(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

// `[::1]` and `name.` as certificates have them.
std::string BareHost(std::string host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return host.substr(1, host.size() - 2);
  }
  if (!host.empty() && host.back() == '.') {
    host.pop_back();
  }
  return host;
}

}  // namespace

struct TlsClient::Impl {
  std::string host{};
  bool is_address = false;
  std::vector<CertificateInfo> infos{};
  mutable std::mutex mutex{};
  mutable SslSessionPtr last{};  // a copy: OpenSSL writes into those that streams use
  SslContextPtr settings{};

  std::string Load(const UpstreamTlsConfig& config);
  std::string Verify(const UpstreamTlsConfig& config);
  void Keep(const SSL_SESSION* session) const;
  SslSessionPtr Last() const;

  static int OnSession(SSL* ssl, SSL_SESSION* session) noexcept;
};

std::string TlsClient::Impl::Load(const UpstreamTlsConfig& config) {
  settings = NewSettings(TlsRole::kClient);
  SSL_CTX* const context = settings.get();
  if (config.certificate) {
    Credential credential;
    if (std::string error = LoadCredential(*config.certificate, credential); !error.empty()) {
      return error;
    }
    if (std::string error = UseCredential(context, credential); !error.empty()) {
      return error;
    }
    infos.push_back(InfoOf(credential));
  }
  SSL_CTX_set_alpn_protos(context, kAlpn, kAlpnSize);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, OnSession);
  return config.verify ? Verify(config) : std::string();
}

std::string TlsClient::Impl::Verify(const UpstreamTlsConfig& config) {
  SSL_CTX* const context = settings.get();
  if (host.empty()) {
    return "no name to expect in the upstream's certificate; set tls.server_name";
  }
  if (config.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else {
    std::vector<CertificatePtr> authorities;
    if (std::string error = LoadCertificates(config.ca, authorities); !error.empty()) {
      return error;
    }
    if (std::string error = Trust(context, authorities, config.ca); !error.empty()) {
      return error;
    }
  }
  X509_VERIFY_PARAM* const check = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str())
                                : X509_VERIFY_PARAM_set1_host(check, host.c_str(), host.size());
  if (is_set != 1) {
    return "`" + host + "` is no name that a certificate could have";
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, OnVerify);
  return {};
}

void TlsClient::Impl::Keep(const SSL_SESSION* session) const {
  SslSessionPtr copy(SSL_SESSION_dup(session));
  const std::lock_guard lock(mutex);
  last.swap(copy);
}

SslSessionPtr TlsClient::Impl::Last() const {
  const std::lock_guard lock(mutex);
  return SslSessionPtr(last ? SSL_SESSION_dup(last.get()) : nullptr);
}

int TlsClient::Impl::OnSession(SSL* ssl, SSL_SESSION* session) noexcept {
  static_cast<const Impl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->Keep(session);
  return 0;  // it stays OpenSSL's
}

TlsClient::TlsClient(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
TlsClient::~TlsClient() = default;

Loaded<TlsClient> TlsClient::Load(const UpstreamTlsConfig& config, const std::string& host) {
  auto impl = std::make_shared<Impl>();
  impl->host = BareHost(config.server_name.empty() ? host : config.server_name);
  impl->is_address = IsAddress(impl->host);
  if (std::string error = impl->Load(config); !error.empty()) {
    return {.error = std::move(error)};
  }
  return {.value = std::shared_ptr<const TlsClient>(new TlsClient(std::move(impl)))};
}

std::unique_ptr<TlsStream> TlsClient::Connect() const {
  auto stream = std::make_unique<TlsStream::Impl>(impl_->settings.get(), impl_, TlsRole::kClient);
  stream->words().expected = impl_->host;
  if (!impl_->host.empty() && !impl_->is_address) {
    SSL_set_tlsext_host_name(stream->ssl.get(), impl_->host.c_str());
  }
  if (const SslSessionPtr session = impl_->Last()) {
    SSL_set_session(stream->ssl.get(), session.get());
  }
  return stream;
}

const std::vector<CertificateInfo>& TlsClient::certificates() const { return impl_->infos; }

}  // namespace connguard
