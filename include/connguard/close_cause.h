// Why a tunnel ended: one table for close codes, metric labels and log words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "connguard/types.h"

namespace connguard {

enum class CloseCause : std::uint8_t {
  kClientClosed,              // Close frame from the client
  kClientLost,                // FIN without a Close frame
  kClientReset,               // RST
  kClientTimeout,             // no sign of life
  kClientProtocol,            // illegal frame
  kClientUnacceptable,        // a message of a kind that the turn profile does not accept (1003)
  kClientInvalid,             // a text that the turn profile does not accept (1007)
  kClientTooBig,              // message over limits.message_size
  kClientSlow,                // did not read for limits.slow_client_timeout
  kEvicted,                   // it held the most when limits.buffer_total was exceeded
  kSuperseded,                // a newer client of the same key took over
  kUpstreamClosed,            // Close frame from the upstream
  kUpstreamLost,              // FIN without a Close frame
  kUpstreamReset,             // RST
  kUpstreamTimeout,           // no sign of life
  kUpstreamProtocol,          // illegal frame or handshake
  kUpstreamTooBig,            // message over limits.message_size
  kUpstreamRefused,           // answered the handshake with something else than 101
  kUpstreamUnreachable,       // could not be connected to
  kUpstreamHandshakeTimeout,  // no answer to the handshake
  kTurnOverdue,               // shielded for longer than turn.max
  kOperator,                  // ended over the admin endpoint
  kShutdown,                  // the guard is stopping
};

// For arrays by cause (metrics).
inline constexpr std::size_t kCloseCauses = static_cast<std::size_t>(CloseCause::kShutdown) + 1;

struct CloseCauseRow {
  CloseCause cause;
  CloseCode to_client;    // kNone: the other side's own code; kAbnormal: no Close is sent
  CloseCode to_upstream;  // likewise
  std::string_view word;  // metric label and log word
  std::string_view by;    // client, upstream or guard
};

// The row of `cause`. Total: a cause without a row does not compile.
const CloseCauseRow& Describe(CloseCause cause);

}  // namespace connguard
