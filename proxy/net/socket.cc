// Plain POSIX sockets: bind, listen, connect.
#include "net/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "net/handover.h"

namespace connguard {

namespace {

constexpr int kBacklog = 4096;

[[noreturn]] void Fail(const Address& address, const char* what, int error) {
  throw std::runtime_error("cannot listen on " + address.ToString() + ": " + what + ": " +
                           std::generic_category().message(error));
}

SocketAddress UnixAddress(const std::string& path) {
  SocketAddress result;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) return result;
  std::memcpy(name.sun_path, path.data(), path.size());
  std::memcpy(&result.storage, &name, sizeof(name));
  result.size = sizeof(name);
  return result;
}

// A socket file that nobody listens on any more is in the way; one that somebody does is not ours.
void RemoveStale(const Address& address, const SocketAddress& name) {
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), name.get(), name.size) == 0) Fail(address, "bind", EADDRINUSE);
  if (errno == ECONNREFUSED) unlink(address.path.c_str());
}

std::vector<Fd> OpenUnix(const Address& address, unsigned workers, bool beside) {
  // A file that takes the other's place at once: there is no moment without one.
  const std::string path = beside ? address.path + ".new" : address.path;
  const SocketAddress name = UnixAddress(path);
  if (name.size == 0) Fail(address, "path", ENAMETOOLONG);
  if (beside) {
    unlink(path.c_str());
  } else {
    RemoveStale(address, name);
  }
  Fd first(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!first) Fail(address, "socket", errno);
  if (bind(first.get(), name.get(), name.size) != 0) Fail(address, "bind", errno);
  if (listen(first.get(), kBacklog) != 0) Fail(address, "listen", errno);
  if (beside && rename(path.c_str(), address.path.c_str()) != 0) Fail(address, "rename", errno);
  std::vector<Fd> result;
  result.push_back(std::move(first));
  while (result.size() < workers) {
    result.emplace_back(fcntl(result.front().get(), F_DUPFD_CLOEXEC, 0));
    if (!result.back()) Fail(address, "dup", errno);
  }
  return result;
}

Fd BindTcp(const Address& address, const SocketAddress& name, bool shared) {
  Fd fd(socket(name.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) Fail(address, "socket", errno);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (shared) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  // Accepted sockets inherit it.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (bind(fd.get(), name.get(), name.size) != 0) Fail(address, "bind", errno);
  return fd;
}

void SetPort(SocketAddress& name, std::uint16_t port) {
  if (name.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&name.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&name.storage)->sin_port = htons(port);
  }
}

std::uint16_t PortOf(int fd) {
  SocketAddress name;
  name.size = sizeof(name.storage);
  getsockname(fd, reinterpret_cast<sockaddr*>(&name.storage), &name.size);
  return ntohs(name.storage.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&name.storage)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&name.storage)->sin_port);
}

// Of four bytes. Every client has one, and inet_ntop prints it by printf: 1,500 instructions.
std::string DottedV4(const std::uint8_t* bytes) {
  char text[INET_ADDRSTRLEN];
  char* end = text;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *end++ = '.';
    end = std::to_chars(end, text + sizeof(text), bytes[i]).ptr;
  }
  return {text, end};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

std::vector<SocketAddress> ParseLiteral(const Address& address) {
  std::vector<SocketAddress> result;
  if (address.is_unix()) {
    result.push_back(UnixAddress(address.path));
    return result;
  }
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) return result;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress& name = result.emplace_back();
    std::memcpy(&name.storage, one->ai_addr, one->ai_addrlen);
    name.size = one->ai_addrlen;
  }
  freeaddrinfo(found);
  return result;
}

std::string IpOf(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    const in_addr& ip = reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr;
    return DottedV4(reinterpret_cast<const std::uint8_t*>(&ip));
  }
  if (address.storage.ss_family == AF_INET6) {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ip)) return DottedV4(&ip.s6_addr[12]);
    char text[INET6_ADDRSTRLEN] = "";
    return inet_ntop(AF_INET6, &ip, text, sizeof(text));
  }
  return "unix";
}

std::vector<Fd> OpenListeners(const Address& address, unsigned workers, Address& bound,
                              bool beside) {
  bound = address;
  if (address.is_unix()) return OpenUnix(address, workers, beside);
  std::vector<SocketAddress> names = ParseLiteral(address);
  if (names.empty()) {
    throw std::runtime_error("cannot listen on " + address.ToString() +
                             ": not an IP address (a name cannot be bound)");
  }
  SocketAddress name = names.front();
  // SO_REUSEPORT would silently share the port with another process: ask for it alone first.
  if (!beside || address.port == 0) {
    const Fd alone = BindTcp(address, name, false);
    if (address.port == 0) {
      bound.port = PortOf(alone.get());
      SetPort(name, bound.port);
    }
  }
  std::vector<Fd> result;
  while (result.size() < workers) {
    result.push_back(BindTcp(address, name, true));
    if (listen(result.back().get(), kBacklog) != 0) Fail(address, "listen", errno);
  }
  if (beside) StopSteering(result.front().get());
  return result;
}

Fd Dial(const SocketAddress& address, bool* connected) {
  Fd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  if (address.storage.ss_family != AF_UNIX) SetNoDelay(fd.get());
  const auto attempt = [&] { return connect(fd.get(), address.get(), address.size) == 0; };
  bool done = attempt();
  // On this machine the other end has answered by now; asking again tells what.
  if (!done && errno == EINPROGRESS) done = attempt();
  if (!done && errno != EALREADY) return Fd();
  if (connected != nullptr) *connected = done;
  return fd;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)), identity_(Identity()) {}

void SocketFile::Remove() const {
  if (Identity() == identity_) unlink(path_.c_str());
}

std::pair<dev_t, ino_t> SocketFile::Identity() const {
  struct stat status{};
  stat(path_.c_str(), &status);
  return {status.st_dev, status.st_ino};
}

void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace connguard
