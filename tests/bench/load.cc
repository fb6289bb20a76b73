#include "bench/load.h"

#include <algorithm>
#include <iostream>
#include <string>

namespace connguard::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);  // for anything to come
constexpr auto kTick = std::chrono::milliseconds(50);
constexpr std::size_t kOpening = 64;  // clients at a time

// The end of standard input does not hold anybody up.
void AwaitLine(std::string_view said) {
  std::cout << said << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

}  // namespace

Load::Load(const WsPlan& plan)
    : plan_(plan),
      crowd_(plan.connections + plan.idle, plan.to, plan.tls, *this),
      message_(plan.size, plan.shape),
      introduced_(crowd_.size()) {}

LoadFigures Load::Run() {
  progress_ = Clock::now();
  Prepare();
  figures().answers = figures().reads = 0;
  figures().delays = {};
  AwaitLine(R"({"ready":true})");
  began_ = progress_ = Clock::now();
  const auto stop = began_ + std::chrono::ceil<Clock::duration>(plan_.duration);
  if (figures().errors == 0) Begin();
  while (IsGoingOn() && (!stopping_ || in_flight_ > 0)) {
    crowd_.Poll(std::min<Clock::duration>(OnTick(Clock::now()), kTick));
    const Clock::time_point now = Clock::now();
    if (now < stop || stopping_) continue;
    stopping_ = true;
    const std::chrono::duration<double> elapsed = now - began_;
    figures().per_second = static_cast<double>(figures().answers) / elapsed.count();
  }
  AwaitLine(ToJson(figures()));
  return figures();
}

void Load::OpenAll() {
  for (std::uint32_t next = 0; introductions_ < crowd_.size() && IsGoingOn();) {
    while (next < crowd_.size() && next < introductions_ + kOpening) crowd_.Open(next++);
    crowd_.Poll(kTick);
  }
}

bool Load::IsGoingOn() {
  const Clock::time_point now = Clock::now();
  if (figures().reads != reads_) {
    reads_ = figures().reads;
    progress_ = now;
  }
  if (now > progress_ + kPatience) figures().NoteError("no answer in time");
  return figures().errors == 0;
}

Clock::duration Load::OnTick(Clock::time_point) { return kTick; }

void Load::OnOpen(std::uint32_t client) { Send(client, 0, Clock::now()); }

void Load::OnMessage(std::uint32_t client, std::string_view text) {
  if (introduced_[client]) return OnAnswer(client, text);
  if (!TakeEcho(client, text, 0)) return;
  introduced_[client] = true;
  ++introductions_;
}

void Load::OnClosed(std::uint32_t) {}

void Load::Send(std::uint32_t client, std::uint32_t number, Clock::time_point at) {
  crowd_.Send(client, message_.ClientFrame({.client = client, .number = number, .at = at}));
}

bool Load::Take(Message& message, std::string_view text, const Mark& next) {
  const std::optional<Mark> mark = message.MarkOf(text);
  if (!mark) {
    crowd_.Fail(next.client, "another length or text than was sent");
  } else if (mark->client != next.client) {
    crowd_.Fail(next.client, "an answer to another client");
  } else if (mark->number != next.number) {
    crowd_.Fail(next.client, "an answer out of order");
  } else {
    figures().delays.Add(Clock::now() - mark->at);
    ++figures().answers;
    return true;
  }
  return false;
}

bool Load::TakeEcho(std::uint32_t client, std::string_view text, std::uint32_t number) {
  return Take(message_, text, {.client = client, .number = number, .at = {}});
}

}  // namespace connguard::bench
