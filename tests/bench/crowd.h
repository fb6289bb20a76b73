// Crowd: WebSocket clients on one epoll.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/figures.h"
#include "bench/frame.h"
#include "bench/wire.h"

namespace connguard::bench {

// What happens to clients, by their index.
class CrowdEvents {
 public:
  virtual ~CrowdEvents() = default;

  virtual void OnOpen(std::uint32_t client) = 0;  // the connection is upgraded
  virtual void OnMessage(std::uint32_t client, std::string_view text) = 0;
  virtual void OnClosed(std::uint32_t client) = 0;  // after BeginClose, by the peer's Close and FIN
};

// Answers pings. Anything that is not as it should be fails its client, which is not used again and
// has no further events: one error spoils the run.
class Crowd {
 public:
  // `tls` may be null: in the clear.
  Crowd(std::size_t clients, const sockaddr_in& to, SSL_CTX* tls, CrowdEvents& events);

  void Open(std::uint32_t client);  // every connection by a path of its own
  void Send(std::uint32_t client, std::string_view frame);
  void BeginClose(std::uint32_t client);
  void Fail(std::uint32_t client, std::string_view error);
  void Poll(Clock::duration patience);

  std::uint32_t size() const { return static_cast<std::uint32_t>(clients_.size()); }
  bool IsOpen(std::uint32_t client) const { return clients_[client].wire.open(); }
  LoadFigures& figures() { return figures_; }

 private:
  struct Client {
    Wire wire;
    std::string head;
    bool upgraded = false;
    bool closing = false;
    bool closed = false;  // by the peer's Close
    bool watches_output = false;
    FrameReader reader{Sender::kServer};
  };

  void OnEvent(std::uint32_t index);
  bool OnHead(std::uint32_t index, std::string_view input);
  void OnFrame(std::uint32_t index);
  void OnEnd(std::uint32_t index);
  void Settle(std::uint32_t index);

  const sockaddr_in to_;
  SSL_CTX* const tls_;
  CrowdEvents& events_;
  Epoll epoll_;
  std::vector<Client> clients_;
  std::uint64_t paths_ = 0;
  LoadFigures figures_;
  std::array<char, 64 * 1024> buffer_{};
};

}  // namespace connguard::bench
