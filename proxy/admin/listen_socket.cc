// A listening socket for the admin endpoints.
#include "admin/listen_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace connguard {
namespace {

constexpr int kBacklog = 128;
// A stream of events has no other way to find out that its client's machine has gone.
constexpr unsigned kDeadAfterMillis = 60'000;

std::string NameOf(const Address& address) {
  if (address.is_unix()) return "unix:" + address.path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

[[noreturn]] void Fail(const std::string& name, std::string_view why) {
  throw std::runtime_error("cannot listen on " + name + ": " + std::string(why));
}

std::string ErrorText(int error) { return std::generic_category().message(error); }

int NewSocket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// Binds and listens; returns errno.
int Listen(int descriptor, const sockaddr* address, socklen_t size) {
  const bool listening = bind(descriptor, address, size) == 0 && listen(descriptor, kBacklog) == 0;
  return listening ? 0 : errno;
}

std::uint16_t PortOf(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

sockaddr_un UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) Fail("unix:" + path, "path too long");
  path.copy(address.sun_path, path.size());
  return address;
}

// Removes the file that a killed process left behind; one that somebody listens on, or that is no
// socket, stays, and bind() says so.
void RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const int probe = NewSocket(AF_UNIX);
  if (probe < 0) return;
  const int connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected != 0 && errno == ECONNREFUSED) unlink(path.c_str());
  close(probe);
}

}  // namespace

ListenSocket::ListenSocket(const Address& address) {
  if (address.is_unix()) {
    BindUnix(address.path);
  } else {
    BindTcp(address);
  }
}

ListenSocket::~ListenSocket() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!path_.empty()) unlink(path_.c_str());
}

void ListenSocket::BindTcp(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                 std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0) Fail(NameOf(address), gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    descriptor_ = NewSocket(entry->ai_family);
    if (descriptor_ < 0) {
      error = errno;
      continue;
    }
    constexpr int kOn = 1;
    setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
    error = Listen(descriptor_, entry->ai_addr, entry->ai_addrlen);
    if (error == 0) {
      port_ = PortOf(descriptor_);
      return;
    }
    close(descriptor_);
    descriptor_ = -1;
  }
  Fail(NameOf(address), ErrorText(error));
}

void ListenSocket::BindUnix(const std::string& path) {
  const sockaddr_un address = UnixAddress(path);
  RemoveStale(path, address);
  descriptor_ = NewSocket(AF_UNIX);
  if (descriptor_ < 0) Fail("unix:" + path, ErrorText(errno));
  const int error =
      Listen(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (error != 0) {
    close(descriptor_);
    Fail("unix:" + path, ErrorText(error));
  }
  path_ = path;
}

int ListenSocket::Accept() const {
  const int connection = accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0 && path_.empty()) {
    constexpr int kOn = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
    setsockopt(connection, IPPROTO_TCP, TCP_USER_TIMEOUT, &kDeadAfterMillis,
               sizeof kDeadAfterMillis);
  }
  return connection;
}

}  // namespace connguard
