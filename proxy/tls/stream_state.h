// StreamState: what OpenSSL's callbacks need to know of a TlsStream.
#pragma once

#include <memory>
#include <string>

#include "tls/byte_buffer.h"
#include "tls/openssl_ptr.h"
#include "tls/tls_stream.h"
#include "tls/wire.h"

namespace connguard {

enum class TlsRole : std::uint8_t { kServer, kClient };

struct StreamState {
  // Throws std::bad_alloc. `context` outlives it.
  StreamState(SSL_CTX* settings, std::shared_ptr<const void> context, TlsRole role);
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  bool is_server() const { return role == TlsRole::kServer; }

  std::shared_ptr<const void> context;
  TlsRole role;
  TlsStream::Status status = TlsStream::Status::kHandshaking;
  bool opened = false;
  bool says_close = false;  // behind what waits
  bool said_close = false;
  bool http = false;
  unsigned asides = 0;     // records without data since…
  Bytes since_asides = 0;  // …so much data
  Wire wire{};
  SslPtr ssl{};
  ByteBuffer waiting{};    // until OpenSSL may write
  std::string expected{};  // the name that the peer's certificate is to have
  std::string refusal{};   // why the peer's certificate was refused
  std::string error{};
};

// The stream of a callback.
StreamState& StateOf(const SSL* ssl);

// For SSL_CTX_set_verify: keeps the first reason in words.
int OnVerify(int is_good, X509_STORE_CTX* context) noexcept;

struct TlsStream::Impl : StreamState {
  using StreamState::StreamState;

  // Not while a message of the handshake protocol has come by half: OpenSSL would refuse to write.
  // A ticket that is longer than the server's records comes so, just when the first request goes.
  bool may_write() const;
  void WriteWaiting();
  void Handshake();
  void Read(ByteBuffer& plain);
  void Write(std::string_view head, std::span<const std::uint8_t> body);
  void WriteRecords(std::span<const std::uint8_t> bytes);
  void SayClose();
  void Fail(int result);
};

}  // namespace connguard
