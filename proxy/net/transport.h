// Transport: one worker's lws context, driven by our own event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "net/conn.h"
#include "net/event_loop.h"
#include "tls/byte_buffer.h"
#include "tls/tls_stream.h"

struct lws_context;
struct lws_log_cx;
struct lws_vhost;

namespace connguard {

// How far the connection of a descriptor is.
enum class Adopted : std::uint8_t {
  kAccepted,    // somebody else dialled it
  kConnecting,  // our non-blocking connect() is under way: OnConnected or OnEnd follows
  kConnected,   // it was done at once: OnConnected follows, before the loop waits
};

// Transport turns descriptors into Conns and lws's callbacks into theirs.
//
// Owned by one worker; not thread-safe. Every Conn must be gone before its Transport.
class Transport {
 public:
  // Throws std::runtime_error when lws refuses.
  explicit Transport(EventLoop& loop);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Takes ownership of `fd`, a stream socket. nullptr when lws has no room; `fd` is closed. `tls`:
  // what is on the wire is its records.
  std::unique_ptr<Conn> Adopt(int fd, ConnHandler* handler, Adopted how,
                              std::unique_ptr<TlsStream> tls = nullptr);

  // Tells of connections that were there at once, and does what lws keeps outside of descriptors.
  // Call before every wait; returns the longest wait.
  Millis Prepare();

  // Bytes that wait in the queues of all connections.
  Bytes queued() const { return queued_; }

  EventLoop& loop() { return loop_; }
  // False while lws is setting itself up.
  bool begun() const { return vhost_ != nullptr; }

  // For lws's C callbacks.
  int HandleCallback(lws* wsi, int reason, void* in, std::size_t size);

 private:
  friend class Conn;

  // What the event that is being served tells of: an errno; 0: no error. Lws would take it off the
  // socket without a word.
  int error() const { return error_; }
  // A connection's queue has changed from `before` bytes to `now`.
  void Count(Bytes now, Bytes before) { queued_ += now - before; }
  // For one step of one connection: plain bytes of what it received, and records to send.
  ByteBuffer& plain() { return plain_; }
  ByteBuffer& records() { return records_; }
  static void OnEvents(void* conn, int fd, std::uint32_t events) noexcept;
  void HandleEvents(Conn& conn, int fd, std::uint32_t events);
  bool Read(Conn& conn, int fd, bool hung_up);
  void TellConnected();
  // It is not to be told that it is connected.
  void Forget(const Conn& conn);
  // Closes a wsi whose Conn has let go of it.
  void Drop(lws* wsi);
  void Close(lws* wsi);

  EventLoop& loop_;
  std::unique_ptr<lws_log_cx> log_;
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  lws* current_ = nullptr;  // whose callback is running
  bool asked_ = true;       // something of lws since it last told when it is due
  TimePoint due_{};         // when it is
  int error_ = 0;
  Bytes queued_ = 0;
  std::vector<Conn*> connected_;              // and not told; nullptr: gone meanwhile
  std::unique_ptr<std::uint8_t[]> received_;  // by one read
  ByteBuffer plain_;
  ByteBuffer records_;
};

}  // namespace connguard
