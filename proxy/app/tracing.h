// Which trace a request belongs to on its way to an upstream.
#pragma once

#include "connguard/config.h"
#include "http/trace_context.h"

namespace connguard {

// The trace that the request came with; else a new one, unless `upstreams[].traceparent` is off.
// Any thread.
TraceContext TraceOf(const RequestHead& head, const UpstreamConfig& upstream);

}  // namespace connguard
