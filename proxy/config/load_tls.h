// `tls` of listeners and of upstreams.
#pragma once

#include <optional>
#include <string>

#include "config/file_access.h"

namespace connguard {

// `tls` of a listener; nullopt when there is none.
std::optional<ListenerTlsConfig> ReadListenerTls(Section& listener, const NamedFiles& files);

// `tls` beside a `url` of `scheme` https: the defaults when there is none. Reported, and nullopt,
// beside another one. `host`: of the URL.
std::optional<UpstreamTlsConfig> ReadUpstreamTls(Section& owner, bool https,
                                                 const std::string& host, const NamedFiles& files);

// Reports a name that the configuration may not give a field of a request.
bool ReadFieldName(Section& section, std::string_view key, std::string& out);
// Why not; empty: it may.
std::string FieldNameError(const std::string& name);

}  // namespace connguard
