// TlsServer, TlsClient: what all connections of a listener, or to an upstream, have in common.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "connguard/config.h"
#include "tls/tls_stream.h"

namespace connguard {

// The keys of session tickets (RFC 5077), shared by all listeners, workers and reloads, so that a
// returning client resumes wherever it lands. A key encrypts for one hour and decrypts for two.
// Thread-safe.
class TicketKeys;
std::shared_ptr<TicketKeys> NewTicketKeys();

// A certificate in use, for the metrics.
struct CertificateInfo {
  std::string file{};     // of its chain
  std::string subject{};  // RFC 4514
  std::chrono::system_clock::time_point not_after{};
};

// What was loaded, or why not: one line that names the file.
template <typename T>
struct Loaded {
  std::shared_ptr<const T> value{};
  std::string error{};
};

// Immutable; thread-safe. ALPN `http/1.1`; no renegotiation, no compression; tickets, no cache.
class TlsServer {
 public:
  static Loaded<TlsServer> Load(const ListenerTlsConfig& config, std::shared_ptr<TicketKeys> keys);
  ~TlsServer();

  std::unique_ptr<TlsStream> Accept() const;
  const std::vector<CertificateInfo>& certificates() const;

 private:
  struct Impl;
  explicit TlsServer(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;  // its streams keep it alive
};

// Immutable; thread-safe. Keeps the last session for resumption.
class TlsClient {
 public:
  // `host`: of the upstream's URL; its name for SNI and the check where config.server_name is
  // empty. A literal address is checked as such and not sent as SNI.
  static Loaded<TlsClient> Load(const UpstreamTlsConfig& config, const std::string& host);
  ~TlsClient();

  std::unique_ptr<TlsStream> Connect() const;
  const std::vector<CertificateInfo>& certificates() const;  // our own

 private:
  struct Impl;
  explicit TlsClient(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;  // its streams keep it alive
};

}  // namespace connguard
