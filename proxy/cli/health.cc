// RunHealth: one GET over a plain socket, so that a container needs no curl.
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <system_error>

#include "cli/commands.h"
#include "config/parsed.h"

namespace connguard {
namespace {

using std::chrono::steady_clock;

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string Message(int error) { return std::generic_category().message(error); }

// An error number: 0 when `events` came before the deadline.
int WaitFor(int descriptor, short events, TimePoint deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - steady_clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    pollfd poll_fd{descriptor, events, 0};
    const int ready = poll(&poll_fd, 1, static_cast<int>(left.count()));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int Connect(int descriptor, const sockaddr* address, socklen_t size, TimePoint deadline) {
  if (connect(descriptor, address, size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int error = WaitFor(descriptor, POLLOUT, deadline)) return error;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

// The status line, or an error.
Parsed<std::string> Ask(int descriptor, const std::string& host, TimePoint deadline) {
  const auto failed = [](int error) { return Parsed<std::string>::Failed(Message(error)); };
  const std::string request =
      "GET /readyz HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  // So short a request always fits a fresh socket's buffer.
  if (send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failed(errno);
  }
  std::string answer;
  std::array<char, 512> block{};
  while (answer.find("\r\n") == std::string::npos) {
    if (const int error = WaitFor(descriptor, POLLIN, deadline)) return failed(error);
    const ssize_t got = recv(descriptor, block.data(), block.size(), 0);
    if (got < 0) return failed(errno);
    if (got == 0 || answer.size() > block.size()) {
      return Parsed<std::string>::Failed("the answer is not HTTP");
    }
    answer.append(block.data(), static_cast<std::size_t>(got));
  }
  return Parsed<std::string>::Of(answer.substr(0, answer.find("\r\n")));
}

Parsed<std::string> ConnectAndAsk(int family, const sockaddr* address, socklen_t size,
                                  const std::string& host, TimePoint deadline) {
  const Socket socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return Parsed<std::string>::Failed(Message(errno));
  if (const int error = Connect(socket.get(), address, size, deadline)) {
    return Parsed<std::string>::Failed(Message(error));
  }
  return Ask(socket.get(), host, deadline);
}

Parsed<std::string> AskUnix(const std::string& path, TimePoint deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ConnectAndAsk(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                       "localhost", deadline);
}

Parsed<std::string> AskTcp(const Address& admin, TimePoint deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(admin.port);
  if (const int error = getaddrinfo(admin.host.c_str(), port.c_str(), &hints, &found)) {
    return Parsed<std::string>::Failed(gai_strerror(error));
  }
  Parsed<std::string> answer;
  for (const addrinfo* entry = found; entry != nullptr && !answer; entry = entry->ai_next) {
    answer = ConnectAndAsk(entry->ai_family, entry->ai_addr, entry->ai_addrlen, admin.ToString(),
                           deadline);
  }
  freeaddrinfo(found);
  return answer;
}

}  // namespace

ExitStatus RunHealth(const Address& admin, Millis timeout, std::ostream& out, std::ostream& err) {
  const TimePoint deadline = steady_clock::now() + timeout;
  const Parsed<std::string> answer =
      admin.is_unix() ? AskUnix(admin.path, deadline) : AskTcp(admin, deadline);
  if (!answer) {
    err << "not ready: " << admin.ToString() << ": " << answer.error << '\n';
    return ExitStatus::kRuntime;
  }
  const std::string& line = *answer.value;
  if (!line.starts_with("HTTP/1.1 200 ")) {
    err << "not ready: " << admin.ToString() << ": " << line << '\n';
    return ExitStatus::kRuntime;
  }
  out << "ready\n";
  return ExitStatus::kOk;
}

}  // namespace connguard
