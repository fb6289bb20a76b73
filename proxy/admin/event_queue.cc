// A string of bytes with a bound.
#include "admin/event_queue.h"

#include <algorithm>

#include "admin/event_text.h"

namespace connguard {

bool EventQueue::Wants(const AdminEvent& event) const {
  return wanted_.session.empty() || event.session.id == wanted_.session;
}

void EventQueue::Add(std::string_view text) {
  TellGap();
  if (lost_ > 0 || waiting_.size() + text.size() > kRoom) {
    ++lost_;
    return;
  }
  waiting_ += text;
}

void EventQueue::KeepAlive() {
  if (empty()) waiting_ = ":\n\n";
}

void EventQueue::TellGap() {
  if (lost_ == 0 || waiting_.size() > kRoom / 2) return;
  waiting_ += StreamText("gap", {{"lost", lost_}});
  lost_ = 0;
}

std::string EventQueue::Take(std::size_t most) {
  TellGap();
  const std::size_t size = std::min(most, waiting_.size());
  std::string bytes = waiting_.substr(0, size);
  waiting_.erase(0, size);
  return bytes;
}

}  // namespace connguard
