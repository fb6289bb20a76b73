// Wire: a connection that does not block, in the clear or by TLS.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/socket.h"

namespace connguard::bench {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;

// For clients: TLS 1.3, every handshake a whole one, the server's certificate unchecked.
TlsContext ClientTls();

class Wire {
 public:
  Wire() = default;
  explicit Wire(Fd fd) : fd_(std::move(fd)) {}
  Wire(Fd fd, SSL_CTX& client_tls);  // the handshake is made by the first Send and Receive

  const Fd& fd() const { return fd_; }
  bool open() const { return fd_.open(); }

  // How many bytes came: 0 for none yet, -1 for the end. By TLS one record at most, so `buffer` has
  // to hold 16 KiB: what is left inside of the session no epoll would tell.
  std::ptrdiff_t Receive(std::span<char> buffer);

  // What is not taken at once is kept, and sent by Flush. False: the connection is broken.
  bool Send(std::string_view bytes);
  bool Flush();

  bool holds() const { return sent_ < kept_.size(); }
  bool wants_output() const { return holds() && !awaits_input_; }  // else input lets it go on

 private:
  std::ptrdiff_t Write(std::string_view bytes);  // as Receive
  std::ptrdiff_t TlsResult(int result);

  Fd fd_;
  std::unique_ptr<SSL, FreeTls> tls_;
  std::string kept_;
  std::size_t sent_ = 0;  // of kept_
  bool awaits_input_ = false;
};

}  // namespace connguard::bench
