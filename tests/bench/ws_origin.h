// WsOrigin: the WebSocket backend behind the proxies that are measured; message.h says what it
// does.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/frame.h"
#include "bench/message.h"
#include "bench/pace_queue.h"
#include "bench/slots.h"
#include "bench/wire.h"

namespace connguard::bench {

// On 127.0.0.1, one thread. A plain GET gets kUpgradeHeadTarget or kCountsTarget (workload.h), and
// its connection is closed.
class WsOrigin {
 public:
  // `pace`: from one token of a stream to the next.
  WsOrigin(std::uint16_t port, std::chrono::microseconds pace);

  std::uint16_t port() const { return LocalPort(listener_); }
  [[noreturn]] void Run();

 private:
  struct Connection {
    Wire wire;
    std::string head;
    bool upgraded = false;
    FrameReader reader{Sender::kClient};
    Mark token;  // the next one
    std::uint32_t tokens_left = 0;
    std::uint64_t number = 0;  // of all that were accepted: its slot is used again
    bool paused = false;       // not read, until what waits has been sent
    bool ending = false;       // once that has been sent
  };

  void AcceptAll();
  void OnEvent(std::uint32_t slot, bool readable);
  bool Read(Connection& connection, std::uint32_t slot);
  bool OnHead(Connection& connection);
  bool OnMessage(Connection& connection, std::uint32_t slot);
  void SendDueTokens();
  void Settle(std::uint32_t slot);

  Fd listener_;
  Epoll epoll_;
  Slots<Connection> connections_;
  PaceQueue tokens_;  // that wait for their time
  Message token_{kTokenSize};
  std::size_t tunnels_ = 0;  // connections that are upgraded
  std::uint64_t accepted_ = 0;
  std::string upgrade_head_;  // the last one
  std::array<char, 64 * 1024> buffer_{};
};

}  // namespace connguard::bench
