// The grammar of traceparent.
#include "http/trace_context.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "http/text.h"

namespace connguard {
namespace {

constexpr std::size_t kTraceAt = 3;
constexpr std::size_t kTraceSize = TraceId::kDigits;
constexpr std::size_t kParentAt = 36;
constexpr std::size_t kParentSize = 16;
constexpr std::size_t kFlagsAt = 53;

// Lower case only.
bool IsHex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

// An id of zeros only says that there is none.
bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

bool IsValid(std::string_view value, std::size_t least) {
  if (value.size() < least) return false;
  const std::string_view version = value.substr(0, 2);
  if (!IsHex(version) || version == "ff") return false;
  if (value.size() > least && (version == "00" || value[least] != '-')) return false;
  return value[kTraceAt - 1] == '-' && value[kParentAt - 1] == '-' && value[kFlagsAt - 1] == '-' &&
         IsId(value.substr(kTraceAt, kTraceSize)) && IsId(value.substr(kParentAt, kParentSize)) &&
         IsHex(value.substr(kFlagsAt, 2));
}

// 0: there is no digit.
std::uint64_t ReadHex(std::string_view digits) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

// All sixteen digits. Returns their end.
char* WriteHex(char* out, std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) *out++ = kDigits[(number >> shift) & 15];
  return out;
}

}  // namespace

TraceId::TraceId(std::string_view digits)
    : high_(ReadHex(digits.substr(0, digits.size() / 2))),
      low_(ReadHex(digits.substr(digits.size() / 2))) {}

std::string TraceId::value() const {
  if ((high_ | low_) == 0) return {};
  std::string digits(kDigits, '\0');
  WriteHex(WriteHex(digits.data(), high_), low_);
  return digits;
}

TraceContext::TraceContext(std::string_view value, TraceId id, bool created)
    : created_(created), id_(id) {
  std::ranges::copy(value, value_.begin());
}

TraceContext TraceContext::Of(const std::vector<Field>& fields) {
  const std::string_view value = Only(fields, "traceparent").value_or("");
  if (!IsValid(value, kSize)) return {};
  return {value.substr(0, kSize), TraceId(value.substr(kTraceAt, kTraceSize)), false};
}

TraceContext TraceContext::New(TraceSeed seed) {
  if ((seed.trace_high | seed.trace_low) == 0) seed.trace_low = 1;
  if (seed.parent == 0) seed.parent = 1;
  TraceContext trace("00-................................-................-01",
                     TraceId(seed.trace_high, seed.trace_low), true);
  char* const ids = trace.value_.data();
  WriteHex(WriteHex(ids + kTraceAt, seed.trace_high), seed.trace_low);
  WriteHex(ids + kParentAt, seed.parent);
  return trace;
}

std::string_view TraceContext::id() const {
  return *this ? value().substr(kTraceAt, kTraceSize) : std::string_view();
}

}  // namespace connguard
