// Conn: one TCP or unix connection, whichever side opened it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/types.h"
#include "net/socket.h"

namespace connguard {

class Conn;
class TlsStream;
class Transport;

enum class ConnEnd : std::uint8_t {
  kFin,          // the peer has sent everything it will
  kReset,        // the connection broke: RST, network error
  kTimedOut,     // the peer did not acknowledge what it was sent, or a probe of the kernel's
  kUnreachable,  // it never came to be
  kTlsFailed,    // no handshake, a record that is none, or cut before close_notify: Conn::tls_error
};

// What a connection tells its owner. A call may destroy the Conn that makes it.
class ConnHandler {
 public:
  // Only for connections that we dialled; behind the handshake where there is TLS.
  virtual void OnConnected(Conn& conn) noexcept = 0;
  // The bytes live until the call returns.
  virtual void OnReceive(Conn& conn, std::span<const std::uint8_t> data) noexcept = 0;
  // Some of the queue went out.
  virtual void OnProgress(Conn& conn) noexcept = 0;
  // The socket is gone: `conn` can only be destroyed now.
  virtual void OnEnd(Conn& conn, ConnEnd end) noexcept = 0;

 protected:
  ~ConnHandler() = default;
};

// Conn writes directly and queues what the socket does not take; it keeps reading meanwhile, for
// two peers that both write would deadlock else. With TLS its owner sees plain bytes and the queue
// holds records; conn_tls.cc is the seam.
//
// Owned by one worker; not thread-safe. Destroying it closes the socket; the handler hears nothing.
class Conn {
 public:
  ~Conn();
  Conn(const Conn&) = delete;
  Conn& operator=(const Conn&) = delete;

  void set_handler(ConnHandler* handler) { handler_ = handler; }

  // Takes all of `data`. A broken connection swallows it; OnEnd follows.
  void Send(std::span<const std::uint8_t> data);
  // `head`, then `body`, in one write.
  void Send(std::string_view head, std::span<const std::uint8_t> body = {});
  // As Send, where FinishWriting follows in the same call: what fits leaves with the FIN, in one
  // segment.
  void SendLast(std::span<const std::uint8_t> data);
  // Bytes taken and not yet written.
  Bytes queued() const;

  // Stops and resumes reading. While stopped, the peer's end is not seen either.
  void Pause();
  void Resume();
  bool paused() const { return paused_; }

  // Sends FIN, behind TLS's close_notify, when the queue is empty; reading goes on until the peer's
  // own.
  void FinishWriting();
  // Breaks the connection by RST. The handler hears nothing.
  void Reset();

  // TCP keep-alive: probes after `idle` of silence, the end after `timeout` more. Does nothing on
  // unix sockets.
  void Probe(Millis idle, Millis timeout);
  // The longest that sent data may wait for its acknowledgement, a full window included. Likewise.
  void LimitUnacknowledged(Millis longest);

  // False when there is something to read, were it only the peer's end. One system call.
  bool quiet() const;

  // -1 once it is closed.
  int fd() const { return fd_.get(); }
  bool open() const { return static_cast<bool>(fd_); }

  // From here on the wire carries the records of `tls`, a server's; `cipher` is the first of what
  // came already. Only while nothing has been sent. The handler may be called.
  void BeginTls(std::unique_ptr<TlsStream> tls, std::span<const std::uint8_t> cipher);
  // nullptr: the bytes on the wire are the owner's.
  const TlsStream* tls() const { return tls_.get(); }
  // What kTlsFailed was about.
  std::string tls_error() const;

 private:
  friend class Transport;

  // What the socket has not taken yet; there only while there is something.
  struct Queue {
    std::vector<std::uint8_t> bytes;
    std::size_t at = 0;  // those before it are written
  };

  Conn(Transport& transport, Fd fd, ConnHandler* handler, bool connecting,
       std::unique_ptr<TlsStream> tls);

  void HandleReceive(std::span<const std::uint8_t> data);
  void HandleWriteable();
  void HandleConnected();
  // No connection came to be.
  void HandleUnreachable();
  // Nothing more is to be read.
  void HandleEnd(ConnEnd end);
  ConnEnd EndOfTls();
  void ReceiveTls(std::span<const std::uint8_t> cipher);
  void SendTls(std::string_view head, std::span<const std::uint8_t> body);
  void SayCloseNotify();
  void FailTls();
  Bytes unsent() const { return queue_ != nullptr ? queue_->bytes.size() - queue_->at : 0; }
  void FinishWhenDone();
  // HandleWriteable follows: when the socket, which was full, takes something; in the next turn.
  void AwaitWriteable();
  void AwaitTurn();
  void SendRaw(std::string_view head, std::span<const std::uint8_t> body);
  Bytes Write(std::string_view head, std::span<const std::uint8_t> body);
  void Enqueue(std::span<const std::uint8_t> data);
  void Flush();
  void SetOption(int level, int option, int value);
  void Detach();
  void Meter();

  Transport& transport_;
  ConnHandler* handler_;
  std::unique_ptr<TlsStream> tls_;
  std::unique_ptr<Queue> queue_;
  Bytes metered_ = 0;  // of queued(), as the transport knows it
  Fd fd_;
  bool connecting_;  // the connect() is under way
  bool dialled_;     // OnConnected is due
  bool paused_ = false;
  bool last_ = false;       // a FIN follows what is sent now
  bool finish_ = false;     // FIN is due when the queue is empty
  bool broken_ = false;     // a write failed
  bool timed_out_ = false;  // and that was why
};

}  // namespace connguard
