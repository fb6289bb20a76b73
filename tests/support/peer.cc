// poll, send and recv, one step at a time.
#include "support/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace connguard::testing {

namespace {

using Clock = std::chrono::steady_clock;

// True when the socket is ready before `deadline`.
bool Await(int fd, short events, Clock::time_point deadline) {
  pollfd one{.fd = fd, .events = events, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return poll(&one, 1, left > 0 ? static_cast<int>(left) : 0) > 0;
}

std::string ToString(const Octets& octets) { return {octets.begin(), octets.end()}; }

}  // namespace

Fd ConnectTo(const Address& address, int receive_buffer) {
  const SocketAddress name = ParseLiteral(address).at(0);
  Fd fd(socket(name.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  if (connect(fd.get(), name.get(), name.size) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect " + address.ToString());
  }
  if (!address.is_unix()) SetNoDelay(fd.get());
  return fd;
}

std::string CloseBody(int code, std::string_view reason) {
  if (code == 0) return {};
  std::string body{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  body.append(reason);
  return body;
}

Peer::Peer(Fd fd, bool masks) : fd_(std::move(fd)), masks_(masks) {
  fcntl(fd_.get(), F_SETFL, fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
}

void Peer::Send(std::string_view bytes) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN) {
      throw std::system_error(errno, std::generic_category(), "send");
    } else if (!Await(fd_.get(), POLLOUT, deadline)) {
      throw std::runtime_error("send: the guard does not read");
    }
  }
}

std::size_t Peer::SendUntilStuck(std::string_view bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const ssize_t sent = send(fd_.get(), bytes.data() + total, bytes.size() - total, MSG_NOSIGNAL);
    if (sent > 0) {
      total += static_cast<std::size_t>(sent);
    } else if (errno != EAGAIN || !Await(fd_.get(), POLLOUT, Clock::now() + 5 * kMoment)) {
      break;
    }
  }
  return total;
}

void Peer::SendByteByByte(std::string_view bytes) {
  for (const char& byte : bytes) {
    try {
      Send({&byte, 1});
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::connection_reset && error.code() != std::errc::broken_pipe) {
        throw;
      }
      // The error was told here: the next recv() would only say that this is the end.
      reset_ = true;
      return;
    }
  }
}

std::string Peer::MakeFrame(FrameSpec spec, std::string_view payload) const {
  spec.masked = masks_;
  return ToString(Frame(spec, payload));
}

void Peer::SendClose(int code, std::string_view reason) {
  Send(MakeFrame({.opcode = 8}, CloseBody(code, reason)));
}

bool Peer::Fill(Clock::time_point deadline) {
  while (!ended_) {
    std::array<char, 64 * 1024> chunk;
    const ssize_t got = recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (got > 0) {
      input_.append(chunk.data(), static_cast<std::size_t>(got));
      return true;
    }
    if (got < 0 && errno == EAGAIN) {
      if (!Await(fd_.get(), POLLIN, deadline)) return false;
      continue;
    }
    ended_ = true;
    end_ = got == 0 && !reset_ ? PeerEnd::kFin : PeerEnd::kReset;
  }
  return false;
}

std::string Peer::Read(std::size_t size) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (input_.size() < size) {
    if (!Fill(deadline)) {
      throw std::runtime_error(std::string(ended_ ? "the connection ended" : "nothing came") +
                               " after '" + input_.substr(0, 400) + "'");
    }
  }
  std::string result = input_.substr(0, size);
  input_.erase(0, size);
  return result;
}

std::string Peer::ReadThrough(std::string_view mark) {
  std::size_t at = input_.find(mark);
  while (at == std::string::npos) {
    Read(0);
    const Clock::time_point deadline = Clock::now() + kPatience;
    if (!Fill(deadline)) Read(input_.size() + 1);  // says why
    at = input_.find(mark);
  }
  return Read(at + mark.size());
}

WireFrame Peer::ReadFrame() {
  WireFrame frame;
  frame.raw = Read(2);
  frame.first = static_cast<std::uint8_t>(frame.raw[0]);
  const auto second = static_cast<std::uint8_t>(frame.raw[1]);
  frame.masked = (second & 0x80) != 0;
  std::uint64_t length = second & 0x7F;
  if (length > 125) {
    const std::string extended = Read(length == 126 ? 2 : 8);
    frame.raw += extended;
    length = 0;
    for (const char byte : extended) length = (length << 8) | static_cast<std::uint8_t>(byte);
  }
  const std::string key = frame.masked ? Read(4) : std::string();
  frame.payload = Read(length);
  frame.raw += key + frame.payload;
  for (std::size_t i = 0; !key.empty() && i < frame.payload.size(); ++i) {
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ key[i % 4]);
  }
  return frame;
}

std::string Peer::ReadText() {
  const WireFrame frame = ReadFrame();
  if (frame.first != 0x81) {
    throw std::runtime_error("not a text but opcode " + std::to_string(frame.opcode()) + ": " +
                             frame.payload.substr(0, 200));
  }
  return frame.payload;
}

int Peer::ReadClose(std::string* reason) {
  const WireFrame frame = ReadFrame();
  if (frame.first != 0x88) {
    throw std::runtime_error("not a Close but opcode " + std::to_string(frame.opcode()) + ": " +
                             frame.payload.substr(0, 200));
  }
  if (frame.payload.size() < 2) return 0;
  if (reason != nullptr) *reason = frame.payload.substr(2);
  return (static_cast<std::uint8_t>(frame.payload[0]) << 8) |
         static_cast<std::uint8_t>(frame.payload[1]);
}

std::string Peer::ReadSome() {
  if (input_.empty() && !Fill(Clock::now() + kPatience) && !ended_) {
    throw std::runtime_error("nothing came");
  }
  return std::exchange(input_, {});
}

std::string Peer::ReadToEnd(PeerEnd* end) {
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (Fill(deadline)) continue;
  if (!ended_) throw std::runtime_error("the connection does not end");
  if (end != nullptr) *end = end_;
  return std::exchange(input_, {});
}

bool Peer::Silent(std::chrono::milliseconds time) {
  if (!input_.empty()) return false;
  return !Fill(Clock::now() + time) && !ended_;
}

void Peer::Finish() { shutdown(fd_.get(), SHUT_WR); }

void Peer::Reset() {
  const linger abort{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  Close();
}

void Peer::SetReceiveBuffer(int bytes) {
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

}  // namespace connguard::testing
