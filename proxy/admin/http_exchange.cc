// One request and its answer on libwebsockets' http role.
#include "admin/http_exchange.h"

#include <libwebsockets.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace connguard {
namespace {

// What lws cannot write at once it keeps. With smaller pieces, and a short one at the end,
// lws 4.3.5 left a connection open that was to be closed, until its time-out.
constexpr std::size_t kChunk = 1024 * 1024;
constexpr std::size_t kHeadSpace = 1024;
constexpr std::size_t kDiscardAtMost = 64 * 1024;
constexpr int kWriteTimeoutSeconds = 5;
constexpr int kDiscardSeconds = 2;

struct MethodToken {
  lws_token_indexes token;
  std::string_view name;
};
constexpr auto kMethods = std::to_array<MethodToken>({{WSI_TOKEN_GET_URI, "GET"},
                                                      {WSI_TOKEN_HEAD_URI, "HEAD"},
                                                      {WSI_TOKEN_POST_URI, "POST"},
                                                      {WSI_TOKEN_PUT_URI, "PUT"},
                                                      {WSI_TOKEN_PATCH_URI, "PATCH"},
                                                      {WSI_TOKEN_DELETE_URI, "DELETE"},
                                                      {WSI_TOKEN_OPTIONS_URI, "OPTIONS"}});

// The size of the request's body; nullopt when it has none that can be relied on.
std::optional<std::size_t> BodySizeOf(lws* wsi) {
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) return std::nullopt;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) return 0;
  std::array<char, 32> text{};
  const int length =
      lws_hdr_copy(wsi, text.data(), static_cast<int>(text.size()), WSI_TOKEN_HTTP_CONTENT_LENGTH);
  if (length <= 0) return std::nullopt;
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, size);
  if (error != std::errc() || end != text.data() + length) return std::nullopt;
  return size;
}

// Writes the answer's head at *at; false: no room.
bool WriteHead(lws* wsi, const AdminAnswer& answer, bool close, unsigned char** at,
               unsigned char* end) {
  const auto add = [wsi, at, end](lws_token_indexes name, std::string_view value) {
    return lws_add_http_header_by_token(wsi, name,
                                        reinterpret_cast<const unsigned char*>(value.data()),
                                        static_cast<int>(value.size()), at, end) == 0;
  };
  return lws_add_http_header_status(wsi, static_cast<unsigned>(answer.status), at, end) == 0 &&
         add(WSI_TOKEN_HTTP_CONTENT_TYPE, answer.content_type) &&
         add(WSI_TOKEN_HTTP_CACHE_CONTROL, "no-store") &&
         (answer.status != 405 || add(WSI_TOKEN_HTTP_ALLOW, "GET, HEAD")) &&
         (!close || add(WSI_TOKEN_CONNECTION, "close")) &&
         lws_add_http_header_content_length(wsi, answer.body.size(), at, end) == 0 &&
         lws_finalize_http_header(wsi, at, end) == 0;
}

}  // namespace

std::string_view MethodOf(lws* wsi) {
  for (const MethodToken& method : kMethods) {
    if (lws_hdr_total_length(wsi, method.token) > 0) return method.name;
  }
  return {};
}

int HttpExchange::Begin(lws* wsi, std::string_view method, const AdminAnswer& answer) {
  if (busy()) return -1;
  const std::optional<std::size_t> body = BodySizeOf(wsi);
  discard_ = body.value_or(0) <= kDiscardAtMost ? body.value_or(0) : 0;
  // lws 4.3 takes what follows a body in the same segment for more of it, so nothing may follow;
  // and without a length it expects 100 MiB behind any other method than GET and HEAD.
  close_ = body != 0U || (method != "GET" && method != "HEAD");
  bytes_.assign(LWS_PRE + kHeadSpace, '\0');
  auto* const start = reinterpret_cast<unsigned char*>(bytes_.data()) + LWS_PRE;
  unsigned char* at = start;
  if (!WriteHead(wsi, answer, close_, &at, start + kHeadSpace)) return -1;
  bytes_.resize(LWS_PRE + static_cast<std::size_t>(at - start));
  if (method != "HEAD") bytes_ += answer.body;
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
  const int kind = head ? LWS_WRITE_HTTP_HEADERS : last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP;
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
  if (!close_) return lws_http_transaction_completed(wsi);
  if (discard_ == 0) return -1;
  // To close over unread bytes would reset the connection, and the answer could be lost.
  lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, kDiscardSeconds);
  return 0;
}

}  // namespace connguard
