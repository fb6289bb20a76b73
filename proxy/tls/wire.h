// Wire: what OpenSSL takes for its socket. Reads what Receive() was given, writes into `out`.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <span>

#include "tls/byte_buffer.h"

namespace connguard {

struct StreamState;

// Bytes pass straight between OpenSSL's record buffers and the caller's: a memory BIO would copy
// them once more, and keep its own buffers for the life of a connection.
//
// There is one for each call into OpenSSL, and one BIO for all streams of a thread, which leads to
// it: a BIO for each, with its lock, is 200 bytes of an idle connection.
class Wire {
 public:
  Wire(StreamState& stream, std::span<const std::uint8_t> in, ByteBuffer& out);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool empty() const { return in_.empty(); }

 private:
  friend StreamState& StateOf(const SSL* ssl);

  static int Read(BIO* bio, char* buffer, int size) noexcept;
  static int Write(BIO* bio, const char* bytes, int size) noexcept;
  static BIO_METHOD* NewMethod();
  friend BIO* WireBio();

  StreamState& stream_;
  std::span<const std::uint8_t> in_;
  ByteBuffer& out_;
};

// This thread's, with a reference for the caller. Never null: std::bad_alloc.
BIO* WireBio();

// The stream of a callback.
StreamState& StateOf(const SSL* ssl);

}  // namespace connguard
