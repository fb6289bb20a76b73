// Credentials: what files beside the configuration hold: certificates, keys, authorities.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "connguard/config.h"
#include "tls/tls_context.h"

namespace connguard {

// nullptr where the configuration asks for none. Immutable; shared by all workers.
struct Credentials {
  std::vector<std::shared_ptr<const TlsServer>> listeners;  // as Config::listeners
  std::vector<std::shared_ptr<const TlsClient>> upstreams;  // as Config::upstreams
  std::vector<std::shared_ptr<const JwtVerifier>> routes;   // as Config::routes

  // All that can expire.
  std::vector<CertificateInfo> Certificates() const;
};

// The files that a configuration's credentials are read from.
std::vector<std::string> CredentialFiles(const Config& config);

// Loads them, and notices when a file has changed. Lives on the control thread.
class CredentialStore {
 public:
  using Stamps = std::map<std::string, std::size_t>;  // files and what was in them

  // Throws std::runtime_error that names the file. Nothing has changed then.
  std::shared_ptr<const Credentials> Load(const Config& config);

  struct Renewal {
    std::shared_ptr<const Credentials> credentials{};  // nullptr: nothing new
    std::vector<std::string> errors{};                 // of those that stay as they were
  };
  // For the configuration that was loaded last: reads what has changed on disk. What is broken
  // stays as it was, and is told once for each change.
  Renewal Renew(const Config& config);

 private:
  // Of each entry that `config` asks for: its files, its place in `credentials`, how to load it.
  template <typename Visit>
  void ForEach(const Config& config, Credentials& credentials, Visit visit) const;

  std::shared_ptr<TicketKeys> tickets_ = NewTicketKeys();
  std::shared_ptr<const Credentials> last_ = std::make_shared<Credentials>();
  Stamps stamps_;
};

}  // namespace connguard
