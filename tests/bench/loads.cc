#include "bench/loads.h"

#include <algorithm>

namespace connguard::bench {
namespace {

constexpr auto kLong = std::chrono::hours(1);

}  // namespace

void EchoLoad::Begin() {
  for (std::uint32_t client = 0; client < turnovers_.size(); ++client) {
    for (std::uint32_t i = 0; i < plan().outstanding; ++i) SendNext(client);
  }
}

void EchoLoad::SendNext(std::uint32_t client) {
  Expect(1);
  Send(client, turnovers_[client].sent++, Clock::now());
}

void EchoLoad::OnAnswer(std::uint32_t client, std::string_view text) {
  if (!TakeEcho(client, text, turnovers_[client].answered)) return;
  ++turnovers_[client].answered;
  Arrive();
  if (!stopping()) SendNext(client);
}

RateLoad::RateLoad(const WsPlan& plan)
    : Load(plan),
      interval_(1 / plan.rate),
      messages_(static_cast<std::uint64_t>(plan.rate * plan.duration.count())),
      turnovers_(plan.connections) {}

// What is late at the end is still sent, and counts.
void RateLoad::Begin() { Expect(messages_); }

Clock::duration RateLoad::OnTick(Clock::time_point now) {
  while (due_ < messages_) {
    const auto since = std::chrono::ceil<Clock::duration>(interval_ * static_cast<double>(due_));
    const Clock::time_point at = began() + since;
    if (at > now) return at - now;
    const auto client = static_cast<std::uint32_t>(due_++ % turnovers_.size());
    Send(client, turnovers_[client].sent++, at);
  }
  return kLong;
}

void RateLoad::OnAnswer(std::uint32_t client, std::string_view text) {
  if (client >= turnovers_.size()) return crowd().Fail(client, "more came than was sent");
  if (!TakeEcho(client, text, turnovers_[client].answered)) return;
  ++turnovers_[client].answered;
  Arrive();
}

Clock::duration StreamLoad::OnTick(Clock::time_point now) {
  while (asked_ < next_tokens_.size()) {
    const Clock::time_point at = began() + plan().pace * asked_ / next_tokens_.size();
    if (at > now) return at - now;
    Ask(asked_++);
  }
  return kLong;
}

void StreamLoad::Ask(std::uint32_t client) {
  next_tokens_[client] = 0;
  Expect(plan().tokens);
  const std::string mark = ToText({.client = client, .number = plan().tokens, .at = {}});
  crowd().Send(client, MakeFrame(Sender::kClient, Opcode::kText, std::string(kStreamWord) + mark));
}

void StreamLoad::OnAnswer(std::uint32_t client, std::string_view text) {
  const Mark next{.client = client, .number = next_tokens_[client], .at = {}};
  if (next.number == plan().tokens) return crowd().Fail(client, "more tokens than were asked for");
  if (!Take(token_, text, next)) return;
  Arrive();
  if (++next_tokens_[client] == plan().tokens && !stopping()) Ask(client);
}

void ConnectLoad::Begin() {
  for (std::uint32_t client = 0; client < visits_.size(); ++client) Enter(client);
}

void ConnectLoad::Enter(std::uint32_t client) {
  Expect(1);
  visits_[client].began = Clock::now();
  crowd().Open(client);
}

void ConnectLoad::OnOpen(std::uint32_t client) {
  Send(client, visits_[client].number, visits_[client].began);
}

void ConnectLoad::OnMessage(std::uint32_t client, std::string_view text) {
  if (!TakeEcho(client, text, visits_[client].number)) return;
  ++visits_[client].number;
  crowd().BeginClose(client);
}

void ConnectLoad::OnClosed(std::uint32_t client) {
  Arrive();
  if (!stopping()) Enter(client);
}

void IdleLoad::OnAnswer(std::uint32_t client, std::string_view) {
  crowd().Fail(client, "more came than was sent");
}

}  // namespace connguard::bench
