// Sockets: addresses, listening and dialling, before a Conn takes over.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "connguard/address.h"

namespace connguard {

// A descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// One resolved address.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// An address that needs no resolver: an IP literal or a unix path. Empty for host names.
std::vector<SocketAddress> ParseLiteral(const Address& address);

// The IP of a peer as text; "unix" for a unix socket.
std::string IpOf(const SocketAddress& address);

// One listening socket for each of `workers`: TCP sockets share the port (SO_REUSEPORT), a unix
// socket's descriptors are duplicates of one. Throws std::runtime_error with a sentence that names
// the address. `bound` is set to the real address (port 0).
// `beside`: another process of this user may listen there already, and is about to hand over: TCP
// connections come to either until then (handover.h), a unix socket's file is replaced at once.
// Else that is an error.
std::vector<Fd> OpenListeners(const Address& address, unsigned workers, Address& bound,
                              bool beside = false);

// A non-blocking socket whose connect() is under way or done; `connected` says which, where asked.
// Invalid with errno set when it failed at once.
Fd Dial(const SocketAddress& address, bool* connected = nullptr);

// A unix socket's file, which outlives its descriptors.
class SocketFile {
 public:
  // As it is now.
  explicit SocketFile(std::string path);
  // Leaves it alone when another socket's file has taken its place.
  void Remove() const;

 private:
  std::pair<dev_t, ino_t> Identity() const;

  std::string path_;
  std::pair<dev_t, ino_t> identity_;
};

// Small messages leave at once.
void SetNoDelay(int fd);

}  // namespace connguard
