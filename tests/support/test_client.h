// TestClient: what stands before the guard.
#pragma once

#include <string>
#include <string_view>

#include "support/peer.h"

namespace connguard::testing {

// The key of RFC 6455 §1.3, and what it is to be answered with.
inline constexpr std::string_view kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view kSampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// An answer of HTTP: its head as it came, and what of it tests ask for.
struct Answer {
  int status = 0;
  std::string head;
  std::string body = {};  // where it was asked for
  // The value of the first field of this name (any case); empty: there is none.
  std::string Value(std::string_view name) const;
};

class TestClient : public Peer {
 public:
  explicit TestClient(const Address& guard, int receive_buffer = 0)
      : Peer(ConnectTo(guard, receive_buffer), true) {}

  // A request for a WebSocket; `fields`: further lines, each with its CRLF.
  static std::string Handshake(std::string_view target, std::string_view fields = "");
  void SendHandshake(std::string_view target, std::string_view fields = "") {
    Send(Handshake(target, fields));
  }
  Answer ReadAnswer();
  // Reads an answer, which must have this status.
  Answer ExpectStatus(int status);
};

}  // namespace connguard::testing
