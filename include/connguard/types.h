// Plain types shared by every part of connguard: time, sizes, identities.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace connguard {

using Millis = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// No deadline.
inline constexpr TimePoint kNever = TimePoint::max();

// A size in bytes.
using Bytes = std::size_t;

// Text as what it is on the wire.
inline std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Number of a lease on a session key. Unique within a process; 0 means none.
enum class Epoch : std::uint64_t { kNone = 0 };

// Names one connection that asked for a lease: its worker, and slot + generation within it.
struct Ticket {
  std::uint32_t worker = 0;
  std::uint64_t connection = 0;

  friend bool operator==(const Ticket&, const Ticket&) = default;
};

// A WebSocket close code (RFC 6455 §7.4). 1005 and 1006 never go on the wire: kNone stands for a
// Close frame without a status, kAbnormal for a connection that ended without any Close frame.
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNone = 1005,
  kAbnormal = 1006,
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
  kBadGateway = 1014,
  kSuperseded = 4409,
};

}  // namespace connguard
