// What waits for one subscriber of the event stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "admin/admin_answer.h"
#include "admin/event_feed.h"

namespace connguard {

// Bounded: what does not fit is lost, counted, and told as one event `gap` in its place, once half
// of the room is free. Pure.
class EventQueue {
 public:
  static constexpr std::size_t kRoom = 256UL * 1024;  // bytes

  explicit EventQueue(EventsWanted wanted) : wanted_(std::move(wanted)) {}

  bool Wants(const AdminEvent& event) const;

  // `text`: a whole event, as EventText makes it.
  void Add(std::string_view text);
  void Lose(std::uint64_t events) { lost_ += events; }
  // A comment, so that both ends see that the other one is there; nothing when events wait.
  void KeepAlive();

  bool empty() const { return waiting_.empty() && lost_ == 0; }
  // The next bytes, `most` at most.
  std::string Take(std::size_t most);

 private:
  void TellGap();

  EventsWanted wanted_;
  std::string waiting_;
  std::uint64_t lost_ = 0;  // after what waits
};

}  // namespace connguard
