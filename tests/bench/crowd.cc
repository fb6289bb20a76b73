#include "bench/crowd.h"

#include <exception>
#include <utility>

#include "bench/handshake.h"

namespace connguard::bench {
namespace {

constexpr std::size_t kLongestHead = 16 * 1024;
constexpr std::string_view kNormalClosure = "\x03\xe8";  // 1000

// The fields that a browser's script or an ordinary client sends.
std::string UpgradeRequest(std::uint64_t path) {
  std::string request("GET /ws/" + std::to_string(path) + " HTTP/1.1\r\n");
  request.append("Host: bench.example\r\nUser-Agent: ws_load\r\nUpgrade: websocket\r\n");
  request.append("Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  return request.append(kKeyField).append(kHeadEnd);
}

}  // namespace

Crowd::Crowd(std::size_t clients, const sockaddr_in& to, SSL_CTX* tls, CrowdEvents& events)
    : to_(to), tls_(tls), events_(events), clients_(clients) {}

void Crowd::Open(std::uint32_t client) {
  Client& opening = clients_[client];
  opening = Client();
  try {
    Fd fd = ConnectTo(to_);
    opening.wire = tls_ == nullptr ? Wire(std::move(fd)) : Wire(std::move(fd), *tls_);
  } catch (const std::exception& error) {
    return figures_.NoteError(error.what());
  }
  ++figures_.opened;
  epoll_.Add(opening.wire.fd(), client);
  Send(client, UpgradeRequest(paths_++));
}

void Crowd::Send(std::uint32_t client, std::string_view frame) {
  if (!IsOpen(client)) return;
  if (!clients_[client].wire.Send(frame)) return Fail(client, "a message could not be sent");
  Settle(client);
}

void Crowd::BeginClose(std::uint32_t client) {
  clients_[client].closing = true;
  Send(client, MakeFrame(Sender::kClient, Opcode::kClose, kNormalClosure));
}

void Crowd::Fail(std::uint32_t client, std::string_view error) {
  clients_[client].wire = Wire();
  figures_.NoteError(error);
}

void Crowd::Poll(Clock::duration patience) {
  for (const epoll_event& event : epoll_.Wait(patience)) OnEvent(event.data.u32);
}

void Crowd::OnEvent(std::uint32_t index) {
  Client& client = clients_[index];
  if (!client.wire.open()) return;
  if (!client.wire.Flush()) return Fail(index, "a message could not be sent");
  const std::ptrdiff_t got = client.wire.Receive(buffer_);
  if (got < 0) return OnEnd(index);
  if (got > 0) ++figures_.reads;
  std::string_view input(buffer_.data(), static_cast<std::size_t>(got));
  if (!client.upgraded) {
    const std::size_t before = client.head.size();
    client.head.append(input);
    const std::size_t end = client.head.find(kHeadEnd);
    if (end == std::string::npos) {
      if (client.head.size() > kLongestHead) return Fail(index, "a head without end");
      return Settle(index);
    }
    input.remove_prefix(end + kHeadEnd.size() - before);
    if (!OnHead(index, client.head)) return Fail(index, "no 101 with the accepted key");
  }
  while (client.wire.open() && client.reader.Next(input)) OnFrame(index);
  if (!client.wire.open()) return;
  if (!client.reader.fault().empty()) return Fail(index, client.reader.fault());
  Settle(index);
}

bool Crowd::OnHead(std::uint32_t index, std::string_view head) {
  if (!head.starts_with("HTTP/1.1 101 ") || !HasField(head, kAcceptField)) return false;
  clients_[index].head = {};
  clients_[index].upgraded = true;
  events_.OnOpen(index);
  return true;
}

void Crowd::OnFrame(std::uint32_t index) {
  Client& client = clients_[index];
  const std::string_view payload = client.reader.payload();
  if (client.closed) return Fail(index, "a frame after the Close");
  switch (client.reader.opcode()) {
    case Opcode::kText:
      return events_.OnMessage(index, payload);
    case Opcode::kPing:
      return Send(index, MakeFrame(Sender::kClient, Opcode::kPong, payload));
    case Opcode::kPong:
      return;
    case Opcode::kClose:
      client.closed = true;
      if (!client.closing) Fail(index, "a Close that was not asked for");
      return;
  }
}

void Crowd::OnEnd(std::uint32_t index) {
  Client& client = clients_[index];
  if (!client.upgraded) return Fail(index, "the connection ended in its handshake");
  if (!client.closing) return Fail(index, "the connection ended before it was closed");
  if (!client.closed) return Fail(index, "the connection ended without a Close");
  client.wire = Wire();
  events_.OnClosed(index);
}

void Crowd::Settle(std::uint32_t index) {
  Client& client = clients_[index];
  if (client.watches_output == client.wire.wants_output()) return;
  client.watches_output = client.wire.wants_output();
  epoll_.Watch(client.wire.fd(), index, true, client.watches_output);
}

}  // namespace connguard::bench
