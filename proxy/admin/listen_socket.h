// A listening socket for the admin endpoints, with errors that name what is wrong.
#pragma once

#include <cstdint>
#include <string>

#include "connguard/config.h"

namespace connguard {

// Owns the descriptor and, for a unix socket, the file.
class ListenSocket {
 public:
  // Not blocking, closed on exec. A host name is resolved (this may block) and its first address
  // that can be bound is taken. Throws std::runtime_error: `cannot listen on 127.0.0.1:9180:
  // Address already in use`.
  explicit ListenSocket(const Address& address);
  ~ListenSocket();

  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  int descriptor() const { return descriptor_; }
  std::uint16_t port() const { return port_; }  // 0 for a unix socket

  // A new connection, not blocking, or -1 with errno set.
  int Accept() const;

 private:
  void BindTcp(const Address& address);
  void BindUnix(const std::string& path);

  int descriptor_ = -1;
  std::uint16_t port_ = 0;
  std::string path_;  // to be removed
};

}  // namespace connguard
