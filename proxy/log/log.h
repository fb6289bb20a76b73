// Structured log lines, one per event, that never hold up the thread that writes them.
//
// Lines go to stderr: stdout belongs to the commands that answer on it (print-config, demo), and
// containers and systemd collect both.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "connguard/config.h"
#include "connguard/types.h"

namespace connguard {

// A value as JSON knows it. Views must live until Log() returns. Conversions are implicit so that a
// call reads `{{"route", name}, {"bytes_up", n}}`.
class LogValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  LogValue(std::string_view text) : value_(text) {}
  LogValue(const std::string& text) : value_(std::string_view(text)) {}
  LogValue(const char* text) : value_(std::string_view(text)) {}
  LogValue(bool flag) : value_(flag) {}
  LogValue(double number) : value_(number) {}  // not finite: null
  LogValue(std::signed_integral auto number) : value_(std::int64_t{number}) {}
  LogValue(std::unsigned_integral auto number) : value_(std::uint64_t{number}) {}
  LogValue(Millis time) : value_(std::int64_t{time.count()}) {}  // name such fields …_ms

  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

struct LogField {
  std::string_view name;  // snake_case; not `ts`, `level` or `event`
  LogValue value;
};

// From here on lines are handed to a thread of the log, through a queue of 8192 lines; when it is
// full, the oldest line is dropped and counted. Before and after, lines are written at once, at
// level info and as JSON until the first StartLogging. `descriptor` stays the caller's and must
// stay open until StopLogging. Throws std::system_error when no thread can be made.
void StartLogging(const LoggingConfig& config, int descriptor = 2);

// Level and format from here on. Any thread.
void ChangeLogging(const LoggingConfig& config);

// Writes what is queued, for at most three seconds, and ends the thread; what is left then is lost.
// Other threads may still log. Does nothing when logging was not started.
void StopLogging();

// Whether a line of this level would be written: to skip work for one that would not. Any thread.
bool LogEnabled(LogLevel level);

// One line: {"ts":"2026-03-01T12:00:00.000Z","level":"info","event":"tunnel_closed",…}, the fields
// in the order given; control characters are escaped and bytes that are not UTF-8 become U+FFFD.
// Any thread; once logging is started it neither waits for the descriptor nor throws.
void Log(LogLevel level, std::string_view event, std::span<const LogField> fields) noexcept;
inline void Log(LogLevel level, std::string_view event,
                std::initializer_list<LogField> fields = {}) noexcept {
  Log(level, event, std::span<const LogField>(fields.begin(), fields.size()));
}

// Lines that were lost since the process started: queue full, or the descriptor could not take
// them. Any thread.
std::uint64_t LogLinesDropped();

// A session key as it may appear in the log: the first 10 hex digits of its SHA-256. The same in
// every replica and over restarts, and to be had in a shell (`printf %s KEY | sha256sum | cut
// -c1-10`), so that one user's lines can be found. A pseudonym, not a secret: who can guess a key
// can confirm it.
std::string KeyHash(std::string_view key);

}  // namespace connguard
