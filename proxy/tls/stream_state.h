// StreamState: what OpenSSL's callbacks need to know of a TlsStream.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tls/byte_buffer.h"
#include "tls/openssl_ptr.h"
#include "tls/tls_stream.h"

namespace connguard {

class Wire;

enum class TlsRole : std::uint8_t { kServer, kClient };

// The peer's first bytes: as many as a record's header has.
struct Beginning {
  std::array<std::uint8_t, 5> bytes{};
  std::uint8_t size = 0;

  void Add(std::span<const std::uint8_t> more) {
    for (Bytes i = 0; i < more.size() && size < bytes.size(); ++i) {
      bytes[size++] = more[i];
    }
  }
  // A method of HTTP/1, or an answer of it, where a record's type should be.
  bool IsHttp() const;
};

// Its members have the names of TlsStream's own functions, and hide them.
struct StreamState : TlsStream {
  // Throws std::bad_alloc. `context` outlives it.
  StreamState(SSL_CTX* settings, std::shared_ptr<const void> context, TlsRole role);
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  bool is_server() const { return role == TlsRole::kServer; }

  // What only a failure has to say, or needs to.
  struct Words {
    std::string expected{};  // the name that the peer's certificate is to have
    std::string refusal{};   // why the peer's certificate was refused
    std::string error{};
  };
  Words& words();

  std::shared_ptr<const void> context;
  TlsRole role;
  TlsStream::Status status = TlsStream::Status::kHandshaking;
  bool opened = false;
  bool says_close = false;  // behind what waits
  bool said_close = false;
  bool http = false;
  bool stopped = false;  // nothing more is read, whatever is there
  Beginning beginning{};
  unsigned asides = 0;     // records without data since…
  Bytes since_asides = 0;  // …so much data
  SslPtr ssl{};
  ByteBuffer waiting{};  // until OpenSSL may write
  std::unique_ptr<Words> kept_words{};
};

// For SSL_CTX_set_verify: keeps the first reason in words.
int OnVerify(int is_good, X509_STORE_CTX* context) noexcept;

struct TlsStream::Impl : StreamState {
  using StreamState::StreamState;

  // Not while a message of the handshake protocol has come by half: OpenSSL would refuse to write.
  // A ticket that is longer than the server's records comes so, just when the first request goes.
  bool may_write() const;
  void WriteWaiting();
  void Handshake();
  void Read(const Wire& wire, ByteBuffer& plain);
  void Write(std::string_view head, std::span<const std::uint8_t> body);
  void WriteRecords(std::span<const std::uint8_t> bytes);
  void SayClose();
  void Fail(int result);
};

}  // namespace connguard
