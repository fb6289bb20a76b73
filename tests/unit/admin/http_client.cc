// A client for the admin endpoints that shows every byte.
#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace connguard {
namespace {

constexpr std::chrono::seconds kPatience{20};

int Connect(int family, const sockaddr* address, socklen_t size) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(descriptor, address, size) == 0) return descriptor;
  close(descriptor);
  return -1;
}

}  // namespace

std::string HttpReply::Value(std::string_view name) const {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string mark = "\r\n" + std::string(name) + ": ";
  const auto at = lower.find(mark);
  if (at == std::string::npos) return "";
  const auto begin = at + mark.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

HttpClient HttpClient::Tcp(std::uint16_t port, bool v6) {
  if (v6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(port);
    return HttpClient(
        Connect(AF_INET6, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return HttpClient(Connect(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

HttpClient HttpClient::Unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return HttpClient(Connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

HttpClient::~HttpClient() {
  if (descriptor_ >= 0) close(descriptor_);
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), unread_(std::move(other.unread_)) {}

void HttpClient::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void HttpClient::HalfClose() const { shutdown(descriptor_, SHUT_WR); }

void HttpClient::SetReceiveBuffer(int bytes) const {
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

bool HttpClient::Fill(std::chrono::milliseconds time) {
  pollfd entry{descriptor_, POLLIN, 0};
  if (poll(&entry, 1, static_cast<int>(time.count())) <= 0) return false;
  std::array<char, 4096> chunk;
  const ssize_t got = recv(descriptor_, chunk.data(), chunk.size(), 0);
  if (got <= 0) return false;
  unread_.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

std::optional<HttpReply> HttpClient::Receive(bool head_only) {
  std::size_t end = std::string::npos;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(kPatience)) return std::nullopt;
  }
  HttpReply reply;
  reply.head = unread_.substr(0, end + 2);
  unread_.erase(0, end + 4);
  reply.status = std::stoi(reply.head.substr(reply.head.find(' ')));
  const std::string length = reply.Value("content-length");
  if (length.empty()) return std::nullopt;
  if (head_only) return reply;
  const std::size_t size = std::stoul(length);
  while (unread_.size() < size) {
    if (!Fill(kPatience)) return std::nullopt;
  }
  reply.body = unread_.substr(0, size);
  unread_.erase(0, size);
  return reply;
}

std::string HttpClient::ReadUntil(std::string_view mark) {
  std::size_t at = std::string::npos;
  while ((at = unread_.find(mark)) == std::string::npos) {
    if (!Fill(kPatience)) return "";
  }
  std::string bytes = unread_.substr(0, at + mark.size());
  unread_.erase(0, bytes.size());
  return bytes;
}

std::optional<HttpReply> HttpClient::Ask(std::string_view method, std::string_view target,
                                         std::string_view fields) {
  Send(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" +
       std::string(fields) + "\r\n");
  return Receive(method == "HEAD");
}

bool HttpClient::EndsWithin(std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd entry{descriptor_, POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 4096> chunk;
    if (recv(descriptor_, chunk.data(), chunk.size(), 0) <= 0) return true;
  }
}

}  // namespace connguard
