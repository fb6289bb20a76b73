// The streams of events that are open.
#include "admin/event_streams.h"

#include <libwebsockets.h>

#include <chrono>

#include "admin/event_text.h"

namespace connguard {
namespace {

constexpr std::size_t kChunk = 16UL * 1024;

lws_usec_t Micros(Millis time) { return std::chrono::microseconds(time).count(); }

}  // namespace

void EventStreams::Open(lws* wsi, const EventsWanted& wanted) {
  if (streams_.empty()) feed_->Take();  // what was left of earlier streams
  if (!streams_.try_emplace(wsi, wanted).second) return;
  feed_->AddWatchers(1);
}

void EventStreams::Begun(lws* wsi) {
  lws_http_headers_detach(wsi);  // room for other requests' heads
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
}

void EventStreams::Close(lws* wsi) {
  if (streams_.erase(wsi) > 0) feed_->AddWatchers(-1);
}

void EventStreams::Wake(lws* wsi) {
  lws_set_timeout_us(wsi, PENDING_TIMEOUT_HTTP_CONTENT, Micros(timing_.stalled));
  lws_callback_on_writable(wsi);
}

int EventStreams::Continue(lws* wsi) {
  EventQueue& queue = streams_.at(wsi);
  std::string bytes = queue.Take(kChunk);
  if (!bytes.empty()) {
    const std::size_t size = bytes.size();
    bytes.insert(0, LWS_PRE, '\0');
    auto* const from = reinterpret_cast<unsigned char*>(bytes.data()) + LWS_PRE;
    if (lws_write(wsi, from, size, LWS_WRITE_HTTP) < 0) return -1;
  }
  if (queue.empty()) {
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
  } else {
    Wake(wsi);
  }
  return 0;
}

void EventStreams::Deliver() {
  if (feed_ == nullptr || streams_.empty()) return;
  const EventFeed::Batch batch = feed_->Take();
  for (const AdminEvent& event : batch.events) {
    const std::string text = EventText(event, ++last_id_, show_keys_);
    for (auto& [wsi, queue] : streams_) {
      if (!queue.Wants(event)) continue;
      if (queue.empty()) Wake(wsi);
      queue.Add(text);
    }
  }
  if (batch.lost == 0) return;
  for (auto& [wsi, queue] : streams_) {
    if (queue.empty()) Wake(wsi);
    queue.Lose(batch.lost);
  }
}

void EventStreams::KeepAlive() {
  for (auto& [wsi, queue] : streams_) {
    if (!queue.empty()) continue;
    queue.KeepAlive();
    Wake(wsi);
  }
}

}  // namespace connguard
