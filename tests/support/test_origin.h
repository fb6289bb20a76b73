// TestOrigin: what stands behind the guard, as badly behaved as a test wants it.
#pragma once

#include <string>
#include <string_view>

#include "support/peer.h"

namespace connguard::testing {

// One connection that the guard made.
class OriginLeg : public Peer {
 public:
  explicit OriginLeg(Fd fd) : Peer(std::move(fd), false) {}

  // Reads a request's head.
  std::string ReadRequest() { return ReadThrough("\r\n\r\n"); }

  // The 101 that belongs to TestClient::Handshake; `fields`: further lines, each with its CRLF.
  static std::string Upgraded(std::string_view fields = "");
  // Reads the request and answers it with a 101.
  std::string Upgrade(std::string_view fields = "");
};

class TestOrigin {
 public:
  // On 127.0.0.1 and a free port, or on the unix socket `path`.
  explicit TestOrigin(const std::string& path = "");

  const Address& address() const { return address_; }
  // As upstreams[].url.
  std::string url() const;

  // The next connection of the guard's.
  OriginLeg Accept();
  // True when no connection waits to be accepted, nor comes within `time`.
  bool NobodyComes(std::chrono::milliseconds time = kMoment);
  // The listening socket, to poll.
  int fd() const { return listener_.get(); }
  // Connections are refused from now on, those that wait are reset.
  void Close() { listener_ = Fd(); }

 private:
  Address address_;
  Fd listener_;
};

}  // namespace connguard::testing
