// Who waits on /drainz for the guard to have drained, on libwebsockets' http role.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "admin/admin_request.h"
#include "admin/admin_server.h"
#include "admin/http_exchange.h"

struct lws;

namespace connguard {

// Belongs to the admin thread, until that has ended. `state` may be null: then nobody ever waits.
class DrainWaiters {
 public:
  // So many of the server's connections may wait; a Pod has fewer containers that are to be held.
  static constexpr std::size_t kMost = 8;

  DrainWaiters(const ProcessState* state, AdminTiming timing) : state_(state), timing_(timing) {}

  bool full() const { return waiters_.size() >= kMost; }
  bool Has(lws* wsi) const { return waiters_.contains(wsi); }

  // The answer to `request` will come later; all of it, its head too.
  void Add(lws* wsi, const AdminRequest& request);
  // `wsi` is gone; nothing when it did not wait.
  void Remove(lws* wsi) { waiters_.erase(wsi); }

  // The time in which a drain should have begun is over for `wsi`. Returns what the lws callback is
  // to return.
  int Late(lws* wsi);

  // All are told that the guard has drained. What they are told is written at once.
  void Drained();

 private:
  struct Waiter {
    AdminRequest request;
    HttpExchange exchange;
  };

  const ProcessState* const state_;
  const AdminTiming timing_;
  std::unordered_map<lws*, Waiter> waiters_;
};

}  // namespace connguard
