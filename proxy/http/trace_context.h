// Trace Context (W3C): which trace a request belongs to, so that a line of the log and the spans of
// the client and the backend can be brought together.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace connguard {

// Three random numbers: a trace's id, and the id of the request as its parent.
struct TraceSeed {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t parent = 0;
};

// The id alone, for those who keep it long.
class TraceId {
 public:
  static constexpr std::size_t kDigits = 32;

  TraceId() = default;
  // Both are 0: none.
  TraceId(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}
  // `digits`: so many, lower-case hex and not all of them 0; or none.
  explicit TraceId(std::string_view digits);

  // Likewise.
  std::string value() const;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

// The trace of one request: the one that it came with, a new one, or none.
class TraceContext {
 public:
  TraceContext() = default;

  // The trace that `fields` name: none unless there is exactly one traceparent and it is valid. A
  // version that is not known yet is read as the standard tells (§3.2.4): its first four parts.
  static TraceContext Of(const std::vector<Field>& fields);
  // A new one: version 00, flags 01 (sampled). With 00 a backend that follows its caller's
  // decision, as OpenTelemetry's default sampler does, would record nothing where it recorded all
  // before.
  static TraceContext New(TraceSeed seed);

  explicit operator bool() const { return value_[0] != '\0'; }
  // 32 hex digits; empty: none.
  std::string_view id() const;
  TraceId trace_id() const { return id_; }
  // The traceparent to send in place of whatever came; empty: what came goes on.
  std::string_view created() const { return created_ ? value() : std::string_view(); }

 private:
  // version "-" trace-id "-" parent-id "-" flags: 2, 32, 16 and 2 digits.
  static constexpr std::size_t kSize = 55;

  // `value` has that size.
  TraceContext(std::string_view value, TraceId id, bool created);
  std::string_view value() const { return {value_.data(), value_.size()}; }

  std::array<char, kSize> value_{};  // zeros: none
  bool created_ = false;
  TraceId id_;
};

}  // namespace connguard
