// Brings what libwebsockets has to say into our log.
#pragma once

namespace connguard {

// From here on libwebsockets' errors and warnings are lines of our log, of the event `lws`, and the
// rest is not made at all. For the whole process; call before any lws_context is made, any number
// of times.
void RouteLwsLog();

}  // namespace connguard
