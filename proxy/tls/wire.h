// Wire: what OpenSSL takes for its socket. Reads what Receive() was given, writes into `out`.
#pragma once

#include <openssl/bio.h>

#include <array>
#include <cstdint>
#include <span>

#include "tls/byte_buffer.h"

namespace connguard {

// Bytes pass straight between OpenSSL's record buffers and the caller's: a memory BIO would copy
// them once more, and keep its own buffers for the life of a connection.
struct Wire {
  std::span<const std::uint8_t> in{};
  ByteBuffer* out = nullptr;  // only during a call
  bool stopped = false;       // nothing more is read, whatever is there

  // The peer's first bytes: as many as a record's header has.
  std::array<std::uint8_t, 5> first{};
  std::uint8_t first_size = 0;

  // A method of HTTP/1, or an answer of it, where a record's type should be.
  bool BeganWithHttp() const;
};

// Refers to `wire`, which has to outlive it. Never null: std::bad_alloc.
BIO* NewWireBio(Wire* wire);

}  // namespace connguard
