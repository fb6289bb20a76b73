// One request to a running guard's admin endpoint, over a plain socket: no library, no curl.
#pragma once

#include <string>
#include <string_view>

#include "connguard/address.h"
#include "connguard/types.h"

namespace connguard {

struct AdminQuestion {
  std::string_view method = "GET";
  std::string_view path = {};
  std::string_view token = {};  // empty: none
  bool whole = true;            // false: the status line is enough
};

struct AdminReply {
  int error = 0;                 // of the system, from connecting or reading; 0: see `why`
  bool sent = false;             // the question has left; whether it was read, nobody knows
  std::string why = {};          // a sentence; empty: there is an answer
  std::string status_line = {};  // without its end
  std::string body = {};

  explicit operator bool() const { return why.empty(); }
  int status() const;  // 0: no number
};

// Blocks until `deadline` (steady clock) at most, but for a host name's lookup.
AdminReply AskAdmin(const Address& admin, const AdminQuestion& question, TimePoint deadline);

}  // namespace connguard
