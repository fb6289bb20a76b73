// The grammar of traceparent.
#include "http/trace_context.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "http/text.h"

namespace connguard {
namespace {

// version "-" trace-id "-" parent-id "-" flags: 2, 32, 16 and 2 digits.
constexpr std::size_t kSize = 55;
constexpr std::size_t kTraceAt = 3;
constexpr std::size_t kTraceSize = 32;
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

bool IsValid(std::string_view value) {
  if (value.size() < kSize) return false;
  const std::string_view version = value.substr(0, 2);
  if (!IsHex(version) || version == "ff") return false;
  if (value.size() > kSize && (version == "00" || value[kSize] != '-')) return false;
  return value[kTraceAt - 1] == '-' && value[kParentAt - 1] == '-' && value[kFlagsAt - 1] == '-' &&
         IsId(value.substr(kTraceAt, kTraceSize)) && IsId(value.substr(kParentAt, kParentSize)) &&
         IsHex(value.substr(kFlagsAt, 2));
}

}  // namespace

TraceContext TraceContext::Of(const std::vector<Field>& fields) {
  if (Count(fields, "traceparent") != 1) return {};
  const std::string_view value = *Find(fields, "traceparent");
  return IsValid(value) ? TraceContext(value.substr(0, kSize), false) : TraceContext();
}

TraceContext TraceContext::New(TraceSeed seed) {
  if ((seed.trace_high | seed.trace_low) == 0) seed.trace_low = 1;
  if (seed.parent == 0) seed.parent = 1;
  std::array<char, kSize + 1> text{};
  std::snprintf(text.data(), text.size(), "00-%016llx%016llx-%016llx-01",
                static_cast<unsigned long long>(seed.trace_high),
                static_cast<unsigned long long>(seed.trace_low),
                static_cast<unsigned long long>(seed.parent));
  return {text.data(), true};
}

std::string_view TraceContext::id() const {
  return value_.empty() ? std::string_view()
                        : std::string_view(value_).substr(kTraceAt, kTraceSize);
}

}  // namespace connguard
