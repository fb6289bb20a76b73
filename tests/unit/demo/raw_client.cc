// A blocking WebSocket client on a bare socket, which can leave as rudely as a test wants.
#include "raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace connguard::demo {
namespace {

constexpr time_t kReadTimeoutSeconds = 10;

}  // namespace

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const timeval timeout{kReadTimeoutSeconds, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() {
  if (socket_ >= 0) ::close(socket_);
}

void RawClient::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawClient::Fill() {
  std::array<char, 4096> chunk;
  const ssize_t got = ::recv(socket_, chunk.data(), chunk.size(), 0);
  if (got <= 0) return false;
  input_.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

int RawClient::ReadHead() {
  std::size_t end = input_.find("\r\n\r\n");
  for (; end == std::string::npos; end = input_.find("\r\n\r\n")) {
    if (!Fill()) return 0;
  }
  head_ = input_.substr(0, end + 4);
  input_.erase(0, end + 4);
  return std::stoi(head_.substr(head_.find(' ') + 1));
}

int RawClient::Upgrade(std::string_view path) {
  Write("GET " + std::string(path) +
        " HTTP/1.1\r\nHost: agent\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  const int status = ReadHead();
  if (status != 101 && status != 0) ReadToEnd();
  body_ = status == 101 ? "" : input_;
  return status;
}

int RawClient::Request(std::string_view method, std::string_view path) {
  Write(std::string(method) + " " + std::string(path) +
        " HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  const int status = ReadHead();
  ReadToEnd();
  body_ = input_;
  return status;
}

void RawClient::SendFrame(std::uint8_t opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) {
      frame += static_cast<char>(payload.size() >> shift & 0xff);
    }
  }
  frame.append(4, '\0');  // a masking key of zeros leaves the payload as it is
  frame += payload;
  Write(frame);
}

std::optional<RawClient::Frame> RawClient::ReadFrame() {
  const auto need = [this](std::size_t size) {
    while (input_.size() < size) {
      if (!Fill()) return false;
    }
    return true;
  };
  if (!need(2)) return std::nullopt;
  std::size_t size = static_cast<unsigned char>(input_[1]);
  std::size_t start = 2;
  if (size == 126) {
    if (!need(4)) return std::nullopt;
    size = static_cast<std::size_t>(static_cast<unsigned char>(input_[2])) << 8 |
           static_cast<unsigned char>(input_[3]);
    start = 4;
  }
  if (!need(start + size)) return std::nullopt;
  Frame frame{static_cast<std::uint8_t>(input_[0] & 0x0f), input_.substr(start, size)};
  input_.erase(0, start + size);
  return frame;
}

std::vector<std::string> RawClient::ReadTurn() {
  std::vector<std::string> messages;
  while (const auto frame = ReadFrame()) {
    if (frame->opcode != 0x1) continue;
    messages.push_back(frame->payload);
    const bool final = frame->payload.find(R"("type":"chat"})") != std::string::npos ||
                       frame->payload.find(R"("type":"error"})") != std::string::npos;
    if (final) return messages;
  }
  return {};
}

bool RawClient::ReadToEnd() {
  while (Fill()) {
  }
  std::array<char, 1> byte;
  return ::recv(socket_, byte.data(), byte.size(), MSG_DONTWAIT) == 0;
}

void RawClient::Reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

}  // namespace connguard::demo
