#include "bench/generator.h"

#include <sys/socket.h>

#include <cerrno>
#include <exception>

namespace connguard::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);  // for the last answers
constexpr auto kTick = std::chrono::milliseconds(50);

// The fields that an ordinary client sends.
std::string RequestFor(std::string_view target) {
  std::string request("GET ");
  request.append(target).append(" HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: http_load\r\n");
  return request.append("Accept: */*\r\nAccept-Encoding: gzip\r\n\r\n");
}

}  // namespace

Generator::Generator(const LoadPlan& plan)
    : plan_(plan), request_(RequestFor(plan.target)), connections_(plan.connections) {}

LoadFigures Generator::Run() {
  const Clock::time_point start = Clock::now();
  const auto stop = start + std::chrono::ceil<Clock::duration>(plan_.duration);
  for (std::uint32_t index = 0; index < connections_.size(); ++index) Open(index);
  Clock::time_point now = start;
  while (open_ > 0 && now < stop + kPatience) {
    for (const epoll_event& event : epoll_.Wait(kTick)) OnReadable(event.data.u32);
    now = Clock::now();
    if (now < stop || stopping_) continue;
    stopping_ = true;
    const std::chrono::duration<double> elapsed = now - start;
    figures_.per_second = static_cast<double>(figures_.answers) / elapsed.count();
  }
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    if (connections_[index].fd.open()) Fail(index, "no answer in time");
  }
  return figures_;
}

void Generator::Open(std::uint32_t index) {
  try {
    connections_[index].fd = ConnectTo(plan_.to);
  } catch (const std::exception& error) {
    return Fail(index, error.what());
  }
  ++open_;
  ++figures_.opened;
  epoll_.Add(connections_[index].fd, index);
  Request(index);
}

void Generator::Request(std::uint32_t index) {
  connections_[index].reader.BeginNext();
  if (!SendWhole(connections_[index].fd, request_)) Fail(index, "a request could not be sent");
}

void Generator::OnReadable(std::uint32_t index) {
  Connection& connection = connections_[index];
  const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return Fail(index, "the connection ended before its answer did");
  ++figures_.reads;
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  const std::size_t taken = connection.reader.Take(bytes);
  if (!connection.reader.fault().empty()) return Fail(index, connection.reader.fault());
  if (taken < bytes.size()) return Fail(index, "more came than was asked for");
  if (connection.reader.done()) OnAnswer(index);
}

void Generator::OnAnswer(std::uint32_t index) {
  const AnswerReader& answer = connections_[index].reader;
  if (answer.status() != 200) return Fail(index, "a status other than 200");
  if (answer.chunked() != plan_.chunked) return Fail(index, "another framing than the origin's");
  if (answer.body_size() != plan_.body_size) return Fail(index, "another length than the origin's");
  ++figures_.answers;
  if (stopping_) return Close(index);
  if (!answer.closes()) return Request(index);
  Close(index);
  Open(index);
}

void Generator::Close(std::uint32_t index) {
  if (!connections_[index].fd.open()) return;
  connections_[index].fd = Fd();
  --open_;
}

// The connection is not used again: one error spoils the run.
void Generator::Fail(std::uint32_t index, std::string_view error) {
  Close(index);
  figures_.NoteError(error);
}

}  // namespace connguard::bench
