// Load: what all runs of WebSocket clients have in common.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/crowd.h"
#include "bench/message.h"

namespace connguard::bench {

struct WsPlan {
  sockaddr_in to{};
  SSL_CTX* tls = nullptr;  // null: in the clear
  std::size_t connections = 1;
  std::size_t idle = 0;  // tunnels besides
  std::size_t size = 64;
  Message::Shape shape = Message::Shape::kLetters;
  std::uint32_t outstanding = 1;
  double rate = 1000;        // messages per second of all connections
  std::uint32_t tokens = 1;  // of one answer of a stream …
  Clock::duration pace{};    // … from one to the next
  std::chrono::duration<double> duration{1};
};

// Says when it is ready, and when it is done with what came of it, each by a line of JSON on
// standard output, and goes on when it gets a line: in between is what is to be measured, and it is
// over before the connections end.
//
// Every message that was sent is waited for, and the first error ends the run.
class Load : protected CrowdEvents {
 public:
  explicit Load(const WsPlan& plan);

  LoadFigures Run();

 protected:
  virtual void Prepare() { OpenAll(); }
  virtual void Begin() = 0;
  virtual void OnAnswer(std::uint32_t client, std::string_view text) = 0;
  // Sends what is due; how long until there is more.
  virtual Clock::duration OnTick(Clock::time_point now);

  void OnOpen(std::uint32_t client) override;
  void OnMessage(std::uint32_t client, std::string_view text) override;
  void OnClosed(std::uint32_t client) override;

  // Opens all clients, some at a time, and lets each have one message echoed, number 0.
  void OpenAll();

  void Send(std::uint32_t client, std::uint32_t number, Clock::time_point at);
  // Whether this is `message` with the client and number of `next`; counts it, or fails the client.
  bool Take(Message& message, std::string_view text, const Mark& next);
  bool TakeEcho(std::uint32_t client, std::string_view text, std::uint32_t number);

  // What is waited for before the run is over.
  void Expect(std::uint64_t answers) { in_flight_ += answers; }
  void Arrive() { --in_flight_; }

  const WsPlan& plan() const { return plan_; }
  Crowd& crowd() { return crowd_; }
  LoadFigures& figures() { return crowd_.figures(); }
  Clock::time_point began() const { return began_; }
  bool stopping() const { return stopping_; }

 private:
  bool IsGoingOn();

  const WsPlan plan_;
  Crowd crowd_;
  Message message_;
  std::vector<bool> introduced_;  // by their first echo
  std::size_t introductions_ = 0;
  std::uint64_t in_flight_ = 0;
  Clock::time_point began_;
  Clock::time_point progress_;  // when something came last …
  std::uint64_t reads_ = 0;     // … with the reads until then
  bool stopping_ = false;
};

}  // namespace connguard::bench
