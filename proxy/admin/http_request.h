// A request as libwebsockets' http role has read it.
#pragma once

#include <string_view>

#include "admin/admin_request.h"

struct lws;

namespace connguard {

// `path` as lws gives it: decoded, without its query.
AdminRequest ReadRequest(lws* wsi, std::string_view path);

}  // namespace connguard
