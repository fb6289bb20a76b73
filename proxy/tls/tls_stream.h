// TlsStream: TLS of one connection, bytes in and bytes out. No socket in it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connguard/types.h"
#include "tls/byte_buffer.h"

namespace connguard {

// What a peer's verified certificate says.
struct PeerCertificate {
  std::string subject{};      // RFC 4514
  std::string fingerprint{};  // SHA-256 of its DER, lower-case hex
};

// TLS 1.2 and 1.3 (RFC 5246, RFC 8446) over OpenSSL. Made by TlsServer::Accept and
// TlsClient::Connect, whose context it keeps alive.
//
// Owned by one worker; not thread-safe. No call blocks; none keeps what it is given. What it has to
// say to the peer is appended to `out`, after every call: also behind an error (its alert).
class TlsStream {
 public:
  enum class Status : std::uint8_t {
    kHandshaking,
    kOpen,
    kEnded,   // the peer has sent close_notify: nothing more comes from it
    kFailed,  // error() says why; nothing more goes in or out but `out`'s alert
  };

  virtual ~TlsStream() = default;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // The client's first words. A server has none.
  Status Start(ByteBuffer& out);

  // Takes all of `cipher` and appends every byte that it completes to `plain`.
  Status Receive(std::span<const std::uint8_t> cipher, ByteBuffer& plain, ByteBuffer& out);

  // Encrypts `head`, then `body`: in one record where they fit. Before kOpen they wait inside and
  // go out with the handshake's end; likewise while one of the messages that may come later
  // (tickets, KeyUpdate) is here by half.
  Status Send(std::string_view head, std::span<const std::uint8_t> body, ByteBuffer& out);

  // Says close_notify, once; nothing can be sent after it. Reading goes on.
  void Close(ByteBuffer& out);

  // The connection has ended under it: kEnded when the peer had said close_notify, otherwise
  // kFailed: somebody may have cut the stream (RFC 8446 §6.1).
  Status Cut();

  Status status() const;
  // Plain bytes that wait inside.
  Bytes waiting() const;
  // Close() waits inside.
  bool holds_close() const;
  // The handshake had its end, whatever came then.
  bool opened() const;
  // With OpenSSL's whole error queue and, where a certificate was refused, the reason in words.
  std::string error() const;
  // The peer spoke plain HTTP: worth an answer in kind.
  bool peer_spoke_http() const;

  // From kOpen on.
  std::optional<PeerCertificate> peer() const;
  std::string_view server_name() const;  // that the client asked for; empty: none
  std::string_view version() const;      // `TLSv1.3`
  bool resumed() const;

 private:
  friend class TlsServer;
  friend class TlsClient;
  friend struct StreamState;
  struct Impl;
  TlsStream() = default;
  Impl& impl();
  const Impl& impl() const;
};

}  // namespace connguard
