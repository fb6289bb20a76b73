// DemoAgent: the embedded agent backend of `connguard demo`, which breaks as the real ones do.
#pragma once

#include <cstdint>
#include <memory>

#include "connguard/config.h"

namespace connguard {

// DemoAgent keeps one session per user (`/ws/{user_id}`, RFC 6455). A message {"text": …} starts a
// turn: {"type":"chat_token","content":…} about every 80 ms for some 4 s, then
// {"type":"chat","content":…}; the next message is received only after that. A client that goes in
// mid-turn leaves a closed socket in its session, and every later connect of that user fails with
// HTTP 500 until `POST /reset`. Also serves the demo's page at `/`, `/demo.json` (its own port),
// `/log` (its log) and `/healthz`. No authentication: for loopback.
//
// Runs on one thread of its own. Thread-safe.
class DemoAgent {
 public:
  // Listens at once. `bind`: an IP literal; port 0: any free port. Throws std::runtime_error naming
  // the address and the reason when it can't.
  explicit DemoAgent(const Address& bind);

  // Drops every connection, stops the thread and joins it.
  ~DemoAgent();

  DemoAgent(const DemoAgent&) = delete;
  DemoAgent& operator=(const DemoAgent&) = delete;

  // The port that it listens on.
  std::uint16_t port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace connguard
