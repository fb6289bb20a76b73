// Connect, send, read: each with the deadline.
#include "cli/admin_client.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace connguard {
namespace {

constexpr std::size_t kLongestAnswer = 64 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

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

AdminReply Failed(int error) { return {.error = error, .why = Message(error)}; }
AdminReply Failed(std::string why) { return {.error = 0, .why = std::move(why)}; }

std::string TextOf(const AdminQuestion& question, const std::string& host) {
  std::string text = std::string(question.method) + " " + std::string(question.path) +
                     " HTTP/1.1\r\nHost: " + host + "\r\n";
  if (!question.token.empty()) {
    text.append("Authorization: Bearer ").append(question.token).append("\r\n");
  }
  if (question.method != "GET") text += "Content-Length: 0\r\n";
  return text + "Connection: close\r\n\r\n";
}

// nullopt: the head is not whole, or says nothing of it.
std::optional<std::size_t> AnnouncedSize(std::string_view answer) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  std::string head(answer.substr(0, answer.find(kHeadEnd)));
  if (head.size() == answer.size()) return std::nullopt;
  std::ranges::transform(head, head.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  std::size_t at = head.find(kName);
  if (at == std::string::npos) return std::nullopt;
  at = head.find_first_not_of(' ', at + kName.size());
  std::size_t size = 0;
  if (at == std::string::npos) return std::nullopt;
  const auto result = std::from_chars(head.data() + at, head.data() + head.size(), size);
  return result.ec == std::errc() ? std::optional(size) : std::nullopt;
}

bool IsEnough(const std::string& answer, bool whole) {
  if (!whole) return answer.find("\r\n") != std::string::npos;
  const std::optional<std::size_t> size = AnnouncedSize(answer);
  return size && answer.size() >= answer.find(kHeadEnd) + kHeadEnd.size() + *size;
}

AdminReply Receive(int descriptor, const AdminQuestion& question, TimePoint deadline) {
  std::string answer;
  std::array<char, 4096> block{};
  while (!IsEnough(answer, question.whole)) {
    if (const int error = WaitFor(descriptor, POLLIN, deadline)) return Failed(error);
    const ssize_t got = recv(descriptor, block.data(), block.size(), 0);
    if (got < 0) return Failed(errno);
    if (got == 0) break;
    answer.append(block.data(), static_cast<std::size_t>(got));
    const bool headless = answer.find("\r\n") > block.size();
    if (headless ? answer.size() > block.size() : answer.size() > kLongestAnswer) {
      return Failed("the answer is not HTTP");
    }
  }
  const std::size_t line = answer.find("\r\n");
  if (line == std::string::npos) return Failed("the answer is not HTTP");
  const std::size_t end = answer.find(kHeadEnd);
  return {.error = 0,
          .why = {},
          .status_line = answer.substr(0, line),
          .body = end == std::string::npos ? "" : answer.substr(end + kHeadEnd.size())};
}

AdminReply Ask(int descriptor, const AdminQuestion& question, const std::string& host,
               TimePoint deadline) {
  const std::string request = TextOf(question, host);
  // So short a request always fits a fresh socket's buffer.
  if (send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Failed(errno);
  }
  AdminReply reply = Receive(descriptor, question, deadline);
  reply.sent = true;
  return reply;
}

AdminReply ConnectAndAsk(int family, const sockaddr* address, socklen_t size,
                         const AdminQuestion& question, const std::string& host,
                         TimePoint deadline) {
  const Socket socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return Failed(errno);
  if (const int error = Connect(socket.get(), address, size, deadline)) return Failed(error);
  return Ask(socket.get(), question, host, deadline);
}

AdminReply AskUnix(const std::string& path, const AdminQuestion& question, TimePoint deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ConnectAndAsk(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                       question, "localhost", deadline);
}

AdminReply AskTcp(const Address& admin, const AdminQuestion& question, TimePoint deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(admin.port);
  if (const int error = getaddrinfo(admin.host.c_str(), port.c_str(), &hints, &found)) {
    return Failed(gai_strerror(error));
  }
  AdminReply reply = Failed("no address");
  const auto may_ask = [&reply] { return !reply && !reply.sent; };  // nobody is asked twice
  for (const addrinfo* entry = found; entry != nullptr && may_ask(); entry = entry->ai_next) {
    reply = ConnectAndAsk(entry->ai_family, entry->ai_addr, entry->ai_addrlen, question,
                          admin.ToString(), deadline);
  }
  freeaddrinfo(found);
  return reply;
}

}  // namespace

int AdminReply::status() const {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  constexpr std::size_t kDigits = 3;
  if (!status_line.starts_with(kVersion)) return 0;
  const std::string_view rest = std::string_view(status_line).substr(kVersion.size());
  int status = 0;
  const std::string_view digits = rest.substr(0, rest.find(' '));
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  const bool number = result.ec == std::errc() && result.ptr == digits.data() + digits.size();
  return number && digits.size() == kDigits ? status : 0;
}

AdminReply AskAdmin(const Address& admin, const AdminQuestion& question, TimePoint deadline) {
  return admin.is_unix() ? AskUnix(admin.path, question, deadline)
                         : AskTcp(admin, question, deadline);
}

}  // namespace connguard
