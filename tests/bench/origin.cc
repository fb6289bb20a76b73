#include "bench/origin.h"

#include <sys/socket.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "bench/workload.h"

namespace connguard::bench {
namespace {

constexpr std::uint32_t kListenerTag = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

// The fields that an ordinary backend sends.
std::string Head(std::string_view status, std::string_view framing) {
  std::string head("HTTP/1.1 ");
  head.append(status).append("\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: origin\r\n");
  head.append("content-type: text/plain\r\n").append(framing).append(kHeadEnd);
  return head;
}

std::string Whole(std::string_view status, std::string_view body) {
  return Head(status, "content-length: " + std::to_string(body.size())).append(body);
}

std::string Chunk(std::string_view data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  static_assert(kChunkSize < 256);
  std::string chunk{kDigits[data.size() / 16], kDigits[data.size() % 16]};
  return chunk.append("\r\n").append(data).append("\r\n");
}

std::string_view TargetOf(std::string_view head) {
  if (!head.starts_with("GET ")) return {};
  head.remove_prefix(4);
  return head.substr(0, head.find(' '));
}

}  // namespace

Origin::Origin(std::uint16_t port, std::chrono::microseconds pace)
    : listener_(Listen(port)),
      body_(Whole("200 OK", std::string(kBodySize, 'x'))),
      chunk_(Chunk(std::string(kChunkSize, 'x'))),
      chunks_(pace) {
  epoll_.Add(listener_, kListenerTag);
}

void Origin::Run() {
  while (true) {
    for (const epoll_event& event : epoll_.Wait(chunks_.Patience())) {
      if (event.data.u32 == kListenerTag) {
        AcceptAll();
      } else {
        OnReadable(event.data.u32);
      }
    }
    SendDueChunks();
  }
}

void Origin::AcceptAll() {
  for (Fd fd = Accept(listener_); fd.open(); fd = Accept(listener_)) {
    const std::uint32_t slot = connections_.Take();
    epoll_.Add(fd, slot);
    Connection& connection = connections_[slot];
    connection.fd = std::move(fd);
    connection.number = ++accepted_;
  }
}

void Origin::OnReadable(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return Close(slot);
  connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
  const std::size_t end = connection.input.find(kHeadEnd);
  if (end == std::string::npos) return;
  // What comes before the answer's end was not asked for.
  if (connection.chunks_left > 0 || end + kHeadEnd.size() != connection.input.size()) {
    return Close(slot);
  }
  const std::string head = std::exchange(connection.input, {});
  ++requests_;
  Answer(slot, head);
}

void Origin::Answer(std::uint32_t slot, std::string_view head) {
  const std::string_view target = TargetOf(head);
  if (target == kBodyTarget) return Send(slot, body_);
  if (target == kStreamTarget) return BeginStream(slot);
  if (target == kHeadTarget) return Send(slot, Whole("200 OK", head));
  if (target == kCountsTarget) {
    const std::string counts = R"({"connections":)" + std::to_string(accepted_) +
                               R"(,"requests":)" + std::to_string(requests_) + "}";
    return Send(slot, Whole("200 OK", counts));
  }
  Send(slot, Whole("404 Not Found", "no such scenario\n"));
}

void Origin::BeginStream(std::uint32_t slot) {
  connections_[slot].chunks_left = kChunks;
  chunks_.Add(Clock::now(), slot, connections_[slot].number);
  Send(slot, Head("200 OK", "transfer-encoding: chunked"));
}

// A stream that is late is not hurried: each of its chunks stays a read of its own for the proxy.
void Origin::SendDueChunks() {
  const Clock::time_point now = Clock::now();
  while (const std::optional<PaceQueue::Due> due = chunks_.Next(now)) {
    Connection& connection = connections_[due->slot];
    if (!connection.fd.open() || connection.number != due->number) continue;
    if (--connection.chunks_left == 0) {
      Send(due->slot, chunk_ + std::string(kLastChunk));
    } else {
      chunks_.Add(now, due->slot, due->number);
      Send(due->slot, chunk_);
    }
  }
}

void Origin::Send(std::uint32_t slot, std::string_view bytes) {
  if (!SendWhole(connections_[slot].fd, bytes)) Close(slot);
}

void Origin::Close(std::uint32_t slot) { connections_.GiveBack(slot); }

}  // namespace connguard::bench
