// A request as libwebsockets' http role has read it.
#include "admin/http_request.h"

#include <libwebsockets.h>

#include <array>
#include <charconv>
#include <string>
#include <system_error>

namespace connguard {
namespace {

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

std::string_view MethodOf(lws* wsi) {
  for (const MethodToken& method : kMethods) {
    if (lws_hdr_total_length(wsi, method.token) > 0) return method.name;
  }
  return {};
}

// A field that is there several times is joined, and so is equal to nothing.
std::optional<std::string> FieldOf(lws* wsi, lws_token_indexes field) {
  const int length = lws_hdr_total_length(wsi, field);
  if (length <= 0) return std::nullopt;
  constexpr std::size_t kJoints = 256;
  std::string text(static_cast<std::size_t>(length) + kJoints, '\0');
  const int copied = lws_hdr_copy(wsi, text.data(), static_cast<int>(text.size()), field);
  text.resize(copied > 0 ? static_cast<std::size_t>(copied) : 0);
  return text;
}

std::vector<std::string> QueryOf(lws* wsi) {
  std::vector<std::string> parts;
  const int length = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
  if (length <= 0) return parts;
  std::string part(static_cast<std::size_t>(length) + 1, '\0');
  for (int i = 0;; ++i) {
    const int size = lws_hdr_copy_fragment(wsi, part.data(), static_cast<int>(part.size()),
                                           WSI_TOKEN_HTTP_URI_ARGS, i);
    if (size < 0) return parts;
    const std::string_view text(part.data(), static_cast<std::size_t>(size));
    if (text != "/") parts.emplace_back(text);  // what lws makes of an empty one
  }
}

// The size of the request's body; nullopt when it has none that can be relied on.
std::optional<std::size_t> BodySizeOf(lws* wsi) {
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) return std::nullopt;
  const std::optional<std::string> text = FieldOf(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  if (!text) return 0;
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return size;
}

}  // namespace

AdminRequest ReadRequest(lws* wsi, std::string_view path) {
  return {.method = MethodOf(wsi),
          .path = std::string(path),
          .query = QueryOf(wsi),
          .host = FieldOf(wsi, WSI_TOKEN_HOST),
          .origin = FieldOf(wsi, WSI_TOKEN_ORIGIN),
          .authorization = FieldOf(wsi, WSI_TOKEN_HTTP_AUTHORIZATION),
          .body = BodySizeOf(wsi)};
}

}  // namespace connguard
