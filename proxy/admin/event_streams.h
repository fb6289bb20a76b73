// The streams of events that are open, on libwebsockets' http role.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "admin/admin_server.h"
#include "admin/event_queue.h"

struct lws;

namespace connguard {

// Belongs to the admin thread. `feed` may be null: then there are never any.
class EventStreams {
 public:
  // So many of the server's connections may be streams; the others are for probes and requests.
  static constexpr std::size_t kMost = 16;

  EventStreams(EventFeed* feed, bool show_keys, AdminTiming timing)
      : feed_(feed), show_keys_(show_keys), timing_(timing) {}

  bool full() const { return streams_.size() >= kMost; }
  bool Has(lws* wsi) const { return streams_.contains(wsi); }

  // Before `wsi` gets the head of its answer: whoever has read that misses nothing.
  void Open(lws* wsi, const EventsWanted& wanted);
  // After it.
  void Begun(lws* wsi);
  // `wsi` is gone; nothing when it was no stream.
  void Close(lws* wsi);

  // More of a stream, when its connection can take it. Returns what the lws callback is to return.
  int Continue(lws* wsi);

  // What the feed has is put to every stream that wants it.
  void Deliver();
  void KeepAlive();

 private:
  void Wake(lws* wsi);

  EventFeed* const feed_;
  const bool show_keys_;
  const AdminTiming timing_;
  std::unordered_map<lws*, EventQueue> streams_;
  std::uint64_t last_id_ = 0;
};

}  // namespace connguard
