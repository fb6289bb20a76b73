// Who waits for the guard to have drained.
#include "admin/drain_waiters.h"

#include <libwebsockets.h>

#include <chrono>

#include "admin/endpoint_table.h"
#include "admin/process_state.h"

namespace connguard {

void DrainWaiters::Add(lws* wsi, const AdminRequest& request) {
  waiters_.try_emplace(wsi, Waiter{.request = request, .exchange = {}});
  lws_http_headers_detach(wsi);  // lws ends a connection that keeps its head for six minutes
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
  lws_set_timer_usecs(wsi, std::chrono::microseconds(timing_.drain_begins).count());
}

int DrainWaiters::Late(lws* wsi) {
  if (state_->drain.load() != DrainState::kOff) return 0;
  Waiter& waiter = waiters_.at(wsi);
  return waiter.exchange.Begin(wsi, waiter.request, DrainedAnswer(false));
}

void DrainWaiters::Drained() {
  for (auto& [wsi, waiter] : waiters_) {
    if (!waiter.exchange.busy()) waiter.exchange.Begin(wsi, waiter.request, DrainedAnswer(true));
  }
}

}  // namespace connguard
