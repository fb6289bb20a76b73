// How an event becomes one line of the log: JSON, logfmt or text. Pure.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "connguard/config.h"
#include "log/log.h"

namespace connguard {

struct LogEvent {
  std::chrono::system_clock::time_point time;  // shown as UTC, in milliseconds
  LogLevel level = LogLevel::kInfo;
  std::string_view name;
  std::span<const LogField> fields;
};

// Appends the line, newline included: `{"ts":"…","level":"info","event":"…",…}` or
// `ts=… level=info event=tunnel_closed route=chat …` or
// `2026-03-01T12:00:00.000Z info tunnel_closed route=chat …`, where a value that is empty or has
// anything but visible ASCII without quotes, backslashes and `=` is written as a JSON string (which
// every reader of logfmt understands).
void AppendLine(LogFormat format, const LogEvent& event, std::string& out);

// Appends `2026-03-01T12:00:00.000Z` (RFC 3339).
void AppendTime(std::chrono::system_clock::time_point time, std::string& out);

// Appends `text` as a JSON string (RFC 8259 §7), quotes included. Control characters (C1 and DEL as
// well: a terminal would obey them) are escaped; what is not UTF-8 becomes U+FFFD, one for each
// maximal part of a sequence (Unicode §3.9).
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace connguard
