#include "bench/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <stdexcept>
#include <system_error>

namespace connguard::bench {
namespace {

constexpr int kBacklog = 4096;
constexpr time_t kConnectSeconds = 5;

int Check(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

void Enable(const Fd& fd, int level, int option) {
  const int on = 1;
  Check(setsockopt(fd.get(), level, option, &on, sizeof(on)), "setsockopt");
}

// The socket interface takes every family through this one type.
const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}

Fd::~Fd() {
  if (open()) close(value_);
}

sockaddr_in ParseAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const char* const end = text.data() + text.size();
  if (colon == std::string::npos ||
      std::from_chars(text.data() + colon + 1, end, port).ptr != end || port == 0 ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    throw std::invalid_argument("not an IPv4 address with a port: " + text);
  }
  address.sin_port = htons(port);
  return address;
}

Fd Listen(std::uint16_t port) {
  Fd fd(Check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  Enable(fd, SOL_SOCKET, SO_REUSEADDR);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  Check(bind(fd.get(), Generic(address), sizeof(address)), "bind");
  Check(listen(fd.get(), kBacklog), "listen");
  return fd;
}

std::uint16_t LocalPort(const Fd& fd) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  Check(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

Fd Accept(const Fd& listener) {
  Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.open()) {
    Enable(fd, IPPROTO_TCP, TCP_NODELAY);
  } else if (errno != EAGAIN && errno != ECONNABORTED) {
    Check(-1, "accept");
  }
  return fd;
}

Fd ConnectTo(const sockaddr_in& address) {
  Fd fd(Check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const timeval patience{.tv_sec = kConnectSeconds, .tv_usec = 0};
  Check(setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), "setsockopt");
  Check(connect(fd.get(), Generic(address), sizeof(address)), "connect");
  Enable(fd, IPPROTO_TCP, TCP_NODELAY);
  Check(fcntl(fd.get(), F_SETFL, O_NONBLOCK), "fcntl");
  return fd;
}

bool SendWhole(const Fd& fd, std::string_view bytes) {
  return send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == std::ssize(bytes);
}

Epoll::Epoll() : fd_(Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void Epoll::Add(const Fd& fd, std::uint32_t tag) {
  epoll_event event{.events = EPOLLIN, .data = {.u32 = tag}};
  Check(epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd.get(), &event), "epoll_ctl");
}

void Epoll::Watch(const Fd& fd, std::uint32_t tag, bool reads, bool writes) {
  epoll_event event{.events = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U),
                    .data = {.u32 = tag}};
  Check(epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd.get(), &event), "epoll_ctl");
}

// epoll_pwait2, as the pace of a stream is finer than whole milliseconds.
std::span<const epoll_event> Epoll::Wait(Clock::duration patience) {
  using std::chrono::nanoseconds;
  const auto left = std::max<nanoseconds::rep>(nanoseconds(patience).count(), 0);
  const timespec limit{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
  const int count =
      epoll_pwait2(fd_.get(), events_.data(), static_cast<int>(events_.size()), &limit, nullptr);
  if (count < 0 && errno == EINTR) return {};
  return {events_.data(), static_cast<std::size_t>(Check(count, "epoll_pwait2"))};
}

}  // namespace connguard::bench
