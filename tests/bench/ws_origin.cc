#include "bench/ws_origin.h"

#include <limits>
#include <utility>

#include "bench/handshake.h"
#include "bench/workload.h"

namespace connguard::bench {
namespace {

constexpr std::uint32_t kListenerTag = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kLongestHead = 16 * 1024;

std::string Switched() {
  std::string head("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n");
  return head.append("Connection: Upgrade\r\n").append(kAcceptField).append(kHeadEnd);
}

std::string PlainAnswer(std::string_view status, std::string_view body) {
  std::string answer("HTTP/1.1 ");
  answer.append(status).append("\r\nContent-Type: text/plain\r\nConnection: close\r\n");
  answer.append("Content-Length: ").append(std::to_string(body.size())).append(kHeadEnd);
  return answer.append(body);
}

bool AsksFor(std::string_view head, std::string_view target) {
  return head.starts_with(std::string("GET ").append(target).append(" "));
}

}  // namespace

WsOrigin::WsOrigin(std::uint16_t port, std::chrono::microseconds pace)
    : listener_(Listen(port)), tokens_(pace) {
  epoll_.Add(listener_, kListenerTag);
}

void WsOrigin::Run() {
  while (true) {
    for (const epoll_event& event : epoll_.Wait(tokens_.Patience())) {
      if (event.data.u32 == kListenerTag) {
        AcceptAll();
      } else {
        OnEvent(event.data.u32, (event.events & ~EPOLLOUT) != 0);
      }
    }
    SendDueTokens();
  }
}

void WsOrigin::AcceptAll() {
  for (Fd fd = Accept(listener_); fd.open(); fd = Accept(listener_)) {
    const std::uint32_t slot = connections_.Take();
    epoll_.Add(fd, slot);
    connections_[slot].wire = Wire(std::move(fd));
    connections_[slot].number = ++accepted_;
  }
}

void WsOrigin::OnEvent(std::uint32_t slot, bool readable) {
  Connection& connection = connections_[slot];
  if (!connection.wire.open()) return;
  const bool lives = connection.wire.Flush() && (!readable || Read(connection, slot));
  if (!lives) connection.ending = true;
  if (!lives || (connection.ending && !connection.wire.holds())) {
    if (connection.upgraded) --tunnels_;
    return connections_.GiveBack(slot);
  }
  Settle(slot);
}

// False: the connection is over.
bool WsOrigin::Read(Connection& connection, std::uint32_t slot) {
  const std::ptrdiff_t got = connection.wire.Receive(buffer_);
  if (got < 0) return false;
  std::string_view input(buffer_.data(), static_cast<std::size_t>(got));
  if (connection.ending) return true;
  if (!connection.upgraded) {
    connection.head.append(input);
    if (!connection.head.ends_with(kHeadEnd)) return connection.head.size() < kLongestHead;
    return OnHead(connection);
  }
  while (!connection.ending && connection.reader.Next(input)) {
    if (!OnMessage(connection, slot)) return false;
  }
  return connection.reader.fault().empty();
}

bool WsOrigin::OnHead(Connection& connection) {
  std::string head = std::exchange(connection.head, {});
  if (HasField(head, kKeyField)) {
    upgrade_head_ = std::move(head);
    connection.upgraded = true;
    ++tunnels_;
    return connection.wire.Send(Switched());
  }
  connection.ending = true;
  if (AsksFor(head, kUpgradeHeadTarget)) {
    return connection.wire.Send(PlainAnswer("200 OK", upgrade_head_));
  }
  if (!AsksFor(head, kCountsTarget)) {
    return connection.wire.Send(PlainAnswer("404 Not Found", "no WebSocket\n"));
  }
  const std::string counts = R"({"tunnels":)" + std::to_string(tunnels_) + "}";
  return connection.wire.Send(PlainAnswer("200 OK", counts));
}

bool WsOrigin::OnMessage(Connection& connection, std::uint32_t slot) {
  std::string_view payload = connection.reader.payload();
  switch (connection.reader.opcode()) {
    case Opcode::kPong:
      return true;
    case Opcode::kPing:
      return connection.wire.Send(MakeFrame(Sender::kServer, Opcode::kPong, payload));
    case Opcode::kClose:
      connection.ending = true;
      return connection.wire.Send(MakeFrame(Sender::kServer, Opcode::kClose, payload));
    case Opcode::kText:
      break;
  }
  if (!payload.starts_with(kStreamWord)) {
    return connection.wire.Send(MakeFrame(Sender::kServer, Opcode::kText, payload));
  }
  const std::optional<Mark> request = ParseMark(payload.substr(kStreamWord.size()));
  if (!request || connection.tokens_left > 0) return false;
  connection.token = {.client = request->client, .number = 0, .at = {}};
  connection.tokens_left = request->number;
  tokens_.Add(Clock::now(), slot, connection.number);
  return true;
}

// A stream that is late is not hurried: each of its tokens stays a read of its own for the proxy.
void WsOrigin::SendDueTokens() {
  const Clock::time_point now = Clock::now();
  while (const std::optional<PaceQueue::Due> due = tokens_.Next(now)) {
    Connection& connection = connections_[due->slot];
    if (!connection.wire.open() || connection.number != due->number) continue;
    connection.token.at = Clock::now();
    // Whoever does not take a token is found out when its connection is read.
    if (!connection.wire.Send(token_.ServerFrame(connection.token))) continue;
    ++connection.token.number;
    if (--connection.tokens_left > 0) tokens_.Add(now, due->slot, due->number);
    Settle(due->slot);
  }
}

void WsOrigin::Settle(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  if (connection.paused == connection.wire.holds()) return;
  connection.paused = connection.wire.holds();
  epoll_.Watch(connection.wire.fd(), slot, !connection.paused, connection.paused);
}

}  // namespace connguard::bench
