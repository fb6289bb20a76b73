// One request and its answer on libwebsockets' http role: what AdminServer needs of it.
#pragma once

#include <cstddef>
#include <string>

#include "admin/admin_answer.h"
#include "admin/admin_request.h"

struct lws;

namespace connguard {

// The largest body that a request may have. Bodies are read and thrown away.
inline constexpr std::size_t kLargestAdminBody = 64UL * 1024;

// HttpExchange sends one answer piece by piece, as the client takes it. Each call returns what the
// lws callback is to return: not 0 closes the connection.
class HttpExchange {
 public:
  // Sends the head and the start of the body at once, so that a client that has half-closed its
  // side gets them as well. An answer of events goes on until its connection is closed: that is
  // the caller's.
  int Begin(lws* wsi, const AdminRequest& request, const AdminAnswer& answer);

  // More, when lws says that the connection can take it.
  int Continue(lws* wsi);

  // `size` bytes of the request's body came.
  int Discard(std::size_t size);

  bool busy() const { return sent_ < bytes_.size(); }

 private:
  int Send(lws* wsi, bool head);

  std::string bytes_;  // LWS_PRE bytes for lws to write into, head, body
  std::size_t sent_ = 0;
  bool events_ = false;
  bool close_ = false;       // after this answer,
  std::size_t discard_ = 0;  // but not before so much of the request's body has been read
};

}  // namespace connguard
