// The runs that ws_load knows.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/load.h"

namespace connguard::bench {

// The messages of one client: which one it sends, and which one it gets, next.
struct Turnover {
  std::uint32_t sent = 1;  // number 0 was the introduction
  std::uint32_t answered = 1;
};

// A closed loop: each client has some messages outstanding, and sends one more for every answer.
class EchoLoad : public Load {
 public:
  explicit EchoLoad(const WsPlan& plan) : Load(plan), turnovers_(plan.connections) {}

 private:
  void Begin() override;
  void OnAnswer(std::uint32_t client, std::string_view text) override;
  void SendNext(std::uint32_t client);

  std::vector<Turnover> turnovers_;
};

// An open loop: messages are due at a rate, whatever the answers do, and a delay counts from when
// its message was due. The idle tunnels are opened first and left alone.
class RateLoad : public Load {
 public:
  explicit RateLoad(const WsPlan& plan);

 private:
  void Begin() override;
  Clock::duration OnTick(Clock::time_point now) override;
  void OnAnswer(std::uint32_t client, std::string_view text) override;

  const std::chrono::duration<double> interval_;
  const std::uint64_t messages_;  // of the whole run
  std::uint64_t due_ = 0;         // of them until now
  std::vector<Turnover> turnovers_;
};

// Each client asks for a stream of tokens again and again; a delay is the way of one token.
class StreamLoad : public Load {
 public:
  explicit StreamLoad(const WsPlan& plan) : Load(plan), next_tokens_(plan.connections) {}

 private:
  void Begin() override {}
  Clock::duration OnTick(Clock::time_point now) override;
  void OnAnswer(std::uint32_t client, std::string_view text) override;
  void Ask(std::uint32_t client);

  std::uint32_t asked_ = 0;  // clients that have begun: spread over the pace, as strangers are
  std::vector<std::uint32_t> next_tokens_;
  Message token_{kTokenSize};
};

// Each client connects, has one message echoed, closes and connects again; a delay is all of that.
class ConnectLoad : public Load {
 public:
  explicit ConnectLoad(const WsPlan& plan) : Load(plan), visits_(plan.connections) {}

 private:
  struct Visit {
    std::uint32_t number = 0;
    Clock::time_point began;
  };

  void Prepare() override {}
  void Begin() override;
  void OnOpen(std::uint32_t client) override;
  void OnMessage(std::uint32_t client, std::string_view text) override;
  void OnAnswer(std::uint32_t, std::string_view) override {}
  void OnClosed(std::uint32_t client) override;
  void Enter(std::uint32_t client);

  std::vector<Visit> visits_;
};

// Opens tunnels, with one message echoed on each, and holds them.
class IdleLoad : public Load {
 public:
  using Load::Load;

 private:
  void Prepare() override {}
  void Begin() override { OpenAll(); }
  void OnAnswer(std::uint32_t client, std::string_view text) override;
};

}  // namespace connguard::bench
