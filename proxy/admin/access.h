// Who may ask the admin endpoints for what.
#pragma once

#include <optional>
#include <string_view>

#include "admin/admin_answer.h"
#include "admin/admin_request.h"
#include "connguard/config.h"

namespace connguard {

// Answered to anybody, whatever the configuration says: /livez, /healthz, /readyz, and /drainz, as
// a kubelet's GET can only show a token that stands in the Pod's specification.
bool IsProbe(std::string_view path);

// Why `request` gets no answer: the answer that it gets instead. In this order:
// - 403 when a page of another site could have made a browser send it: by a name that was made to
//   point here (DNS rebinding), or, for what changes something, across origins;
// - 401 without the token, where there is one. `open`: the page's files, which need none.
// Pure; the token is compared in constant time.
std::optional<AdminAnswer> RefusalOf(const AdminRequest& request, const AdminConfig& config,
                                     bool open);

// True when `request` may read what is not for everybody: it has the token, or there is none and no
// page of another site could have made a browser send it. For probes, which RefusalOf lets pass.
bool IsTrusted(const AdminRequest& request, const AdminConfig& config);

}  // namespace connguard
