// The table of close causes.
#include "connguard/close_cause.h"

#include <array>
#include <cassert>
#include <cstddef>

namespace connguard {
namespace {

using enum CloseCause;
using Code = CloseCode;

// kAbnormal stands where no Close can arrive: the leg is gone or dead, or a slow client's pipe is
// full (a Close would queue behind all that it does not read). 1001 for the upstream: besides 1000
// the only code that Python backends take for a normal end.
constexpr auto kTable = std::to_array<CloseCauseRow>({
    // cause, to the client, to the upstream, word, by
    {kClientClosed, Code::kNone, Code::kNone, "client_closed", "client"},
    {kClientLost, Code::kAbnormal, Code::kGoingAway, "client_lost", "client"},
    {kClientReset, Code::kAbnormal, Code::kGoingAway, "client_reset", "client"},
    {kClientTimeout, Code::kAbnormal, Code::kGoingAway, "client_timeout", "client"},
    {kClientProtocol, Code::kProtocolError, Code::kGoingAway, "client_protocol", "client"},
    {kClientUnacceptable, Code::kUnsupportedData, Code::kGoingAway, "client_unacceptable",
     "client"},
    {kClientInvalid, Code::kInvalidPayload, Code::kGoingAway, "client_invalid", "client"},
    {kClientTooBig, Code::kMessageTooBig, Code::kGoingAway, "client_too_big", "client"},
    {kClientSlow, Code::kAbnormal, Code::kGoingAway, "client_slow", "client"},
    {kEvicted, Code::kAbnormal, Code::kGoingAway, "evicted", "guard"},
    {kSuperseded, Code::kSuperseded, Code::kGoingAway, "superseded", "guard"},
    {kUpstreamClosed, Code::kNone, Code::kNone, "upstream_closed", "upstream"},
    {kUpstreamLost, Code::kInternalError, Code::kAbnormal, "upstream_lost", "upstream"},
    {kUpstreamReset, Code::kInternalError, Code::kAbnormal, "upstream_reset", "upstream"},
    {kUpstreamTimeout, Code::kInternalError, Code::kAbnormal, "upstream_timeout", "upstream"},
    {kUpstreamProtocol, Code::kInternalError, Code::kProtocolError, "upstream_protocol",
     "upstream"},
    {kUpstreamTooBig, Code::kInternalError, Code::kMessageTooBig, "upstream_too_big", "upstream"},
    // Before the 101 HTTP says it; the codes are for a client that was answered early.
    {kUpstreamRefused, Code::kBadGateway, Code::kAbnormal, "upstream_refused", "upstream"},
    {kUpstreamUnreachable, Code::kBadGateway, Code::kAbnormal, "upstream_unreachable", "upstream"},
    {kUpstreamHandshakeTimeout, Code::kBadGateway, Code::kAbnormal, "upstream_handshake_timeout",
     "upstream"},
    {kTurnOverdue, Code::kInternalError, Code::kGoingAway, "turn_overdue", "guard"},
    {kOperator, Code::kNormal, Code::kGoingAway, "operator", "guard"},
    {kShutdown, Code::kServiceRestart, Code::kGoingAway, "shutdown", "guard"},
});

constexpr std::size_t Index(CloseCause cause) { return static_cast<std::size_t>(cause); }

constexpr bool Ordered() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (Index(kTable[i].cause) != i || kTable[i].word.empty() || kTable[i].by.empty()) return false;
  }
  return true;
}
static_assert(kTable.size() == kCloseCauses && Ordered());

}  // namespace

const CloseCauseRow& Describe(CloseCause cause) {
  assert(Index(cause) < kTable.size());
  return kTable[Index(cause)];
}

}  // namespace connguard
