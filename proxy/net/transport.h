// Transport: one worker's connections, and what serving them needs only once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "net/conn.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "tls/byte_buffer.h"
#include "tls/tls_stream.h"

namespace connguard {

// How far the connection of a descriptor is.
enum class Adopted : std::uint8_t {
  kAccepted,    // somebody else dialled it
  kConnecting,  // our non-blocking connect() is under way: OnConnected or OnEnd follows
  kConnected,   // it was done at once: OnConnected follows, before the loop waits
};

// Transport turns descriptors into Conns and the loop's events into what those have to do.
//
// Owned by one worker; not thread-safe. Every Conn must be gone before its Transport.
class Transport {
 public:
  explicit Transport(EventLoop& loop);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // `fd`: a stream socket that does not block. `tls`: what is on the wire is its records.
  std::unique_ptr<Conn> Adopt(Fd fd, ConnHandler* handler, Adopted how,
                              std::unique_ptr<TlsStream> tls = nullptr);

  // Tells of connections that were there at once. Call before every wait.
  void Prepare();

  // Bytes that wait in the queues of all connections.
  Bytes queued() const { return queued_; }

  EventLoop& loop() { return loop_; }

 private:
  friend class Conn;

  // A connection's queue has changed from `before` bytes to `now`.
  void Count(Bytes now, Bytes before) { queued_ += now - before; }
  // For one step of one connection: plain bytes of what it received, and records to send.
  ByteBuffer& plain() { return plain_; }
  ByteBuffer& records() { return records_; }
  static void OnEvents(void* conn, int fd, std::uint32_t events) noexcept;
  void HandleEvents(Conn& conn, int fd, std::uint32_t events);
  void Read(Conn& conn, int fd, std::uint32_t events);
  // It is not to be told that it is connected.
  void Forget(const Conn& conn);

  EventLoop& loop_;
  Bytes queued_ = 0;
  std::vector<Conn*> connected_;              // and not told; nullptr: gone meanwhile
  std::unique_ptr<std::uint8_t[]> received_;  // by one read
  ByteBuffer plain_;
  ByteBuffer records_;
};

}  // namespace connguard
