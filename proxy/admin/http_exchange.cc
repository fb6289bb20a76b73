// One request and its answer on libwebsockets' http role.
#include "admin/http_exchange.h"

#include <libwebsockets.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace connguard {
namespace {

// What lws cannot write at once it keeps. With smaller pieces, and a short one at the end,
// lws 4.3.5 left a connection open that was to be closed, until its time-out.
constexpr std::size_t kChunk = 1024 * 1024;
constexpr std::size_t kHeadSpace = 2048;
constexpr int kWriteTimeoutSeconds = 5;
constexpr int kDiscardSeconds = 2;

// Writes the answer's head at *at; false: no room.
class HeadWriter {
 public:
  HeadWriter(lws* wsi, unsigned char* at, unsigned char* end) : wsi_(wsi), at_(at), end_(end) {}

  bool Status(int status) {
    return lws_add_http_header_status(wsi_, static_cast<unsigned>(status), &at_, end_) == 0;
  }
  bool Add(std::string_view name, std::string_view value) {
    const std::string mark = std::string(name) + ":";
    return lws_add_http_header_by_name(wsi_, reinterpret_cast<const unsigned char*>(mark.c_str()),
                                       reinterpret_cast<const unsigned char*>(value.data()),
                                       static_cast<int>(value.size()), &at_, end_) == 0;
  }
  bool Length(std::size_t size) {
    return lws_add_http_header_content_length(wsi_, size, &at_, end_) == 0;
  }
  bool Finish() { return lws_finalize_http_header(wsi_, &at_, end_) == 0; }
  unsigned char* at() const { return at_; }

 private:
  lws* wsi_;
  unsigned char* at_;
  unsigned char* end_;
};

// What every answer says to browsers: take it for nothing else, keep nothing, run and load nothing
// from elsewhere, show it in no frame.
constexpr auto kSecurityFields = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"cache-control", "no-store"},
     {"content-security-policy",
      "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
     {"cross-origin-resource-policy", "same-origin"},
     {"referrer-policy", "no-referrer"},
     {"x-content-type-options", "nosniff"}});

bool WriteHead(HeadWriter& head, const AdminAnswer& answer, bool close) {
  bool fits = head.Status(answer.status) && head.Add("content-type", answer.content_type);
  for (const auto& [name, value] : kSecurityFields) fits = fits && head.Add(name, value);
  for (const auto& [name, value] : answer.fields) fits = fits && head.Add(name, value);
  if (close) fits = fits && head.Add("connection", "close");
  if (!answer.events) fits = fits && head.Length(answer.body.size());
  return fits && head.Finish();
}

}  // namespace

int HttpExchange::Begin(lws* wsi, const AdminRequest& request, const AdminAnswer& answer) {
  if (busy()) return -1;
  events_ = answer.events && request.method != "HEAD";
  discard_ = request.body.value_or(0) <= kLargestAdminBody ? request.body.value_or(0) : 0;
  // lws 4.3 takes what follows a body in the same segment for more of it, so nothing may follow;
  // and without a length it expects 100 MiB behind any other method than GET and HEAD.
  // Who has waited is not expected to ask for anything else.
  close_ = request.body != 0U || !request.safe() || answer.events || answer.until_drained;
  bytes_.assign(LWS_PRE + kHeadSpace, '\0');
  auto* const start = reinterpret_cast<unsigned char*>(bytes_.data()) + LWS_PRE;
  HeadWriter head(wsi, start, start + kHeadSpace);
  if (!WriteHead(head, answer, close_)) return -1;
  bytes_.resize(LWS_PRE + static_cast<std::size_t>(head.at() - start));
  if (request.method != "HEAD") bytes_ += answer.body;
  sent_ = LWS_PRE;
  return Send(wsi, true);
}

int HttpExchange::Continue(lws* wsi) { return busy() ? Send(wsi, false) : 0; }

int HttpExchange::Discard(std::size_t size) {
  discard_ -= std::min(size, discard_);
  return discard_ == 0 && close_ && !busy() ? -1 : 0;
}

int HttpExchange::Send(lws* wsi, bool head) {
  const std::size_t size = std::min(kChunk, bytes_.size() - sent_);
  const bool last = sent_ + size == bytes_.size();
  const int kind = head               ? LWS_WRITE_HTTP_HEADERS
                   : last && !events_ ? LWS_WRITE_HTTP_FINAL
                                      : LWS_WRITE_HTTP;
  auto* const from = reinterpret_cast<unsigned char*>(bytes_.data()) + sent_;
  if (lws_write(wsi, from, size, static_cast<lws_write_protocol>(kind)) < 0) return -1;
  sent_ += size;
  if (!last) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, kWriteTimeoutSeconds);
    lws_callback_on_writable(wsi);
    return 0;
  }
  bytes_.clear();
  sent_ = 0;
  if (events_) return 0;
  if (!close_) return lws_http_transaction_completed(wsi);
  if (discard_ == 0) return -1;
  // To close over unread bytes would reset the connection, and the answer could be lost.
  lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, kDiscardSeconds);
  return 0;
}

}  // namespace connguard
