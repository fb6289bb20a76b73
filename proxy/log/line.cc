// How an event becomes one line of the log.
#include "log/line.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <variant>

namespace connguard {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr auto kLevelWords =
    std::to_array<std::string_view>({"debug", "info", "warn", "error", "off"});
static_assert(kLevelWords.size() == static_cast<std::size_t>(LogLevel::kOff) + 1);

void AppendEscape(unsigned unit, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (unit) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[unit >> 4 & 0xF];
      out += kHex[unit & 0xF];
  }
}

// The bytes that may follow a lead byte (Unicode §3.9, table 3-7).
struct Sequence {
  std::size_t size = 0;  // 0: no lead byte
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xBF;
};

Sequence SequenceOf(std::uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  if (lead >= 0xF1 && lead <= 0xF3) return {4};
  return {};
}

// Appends what starts with the non-ASCII byte at the front of `text`; returns how much it took.
std::size_t AppendMultibyte(std::string_view text, std::string& out) {
  const Sequence sequence = SequenceOf(static_cast<std::uint8_t>(text[0]));
  std::size_t good = 1;
  while (good < sequence.size && good < text.size()) {
    const auto byte = static_cast<std::uint8_t>(text[good]);
    const bool second = good == 1;
    if (byte < (second ? sequence.second_min : 0x80) ||
        byte > (second ? sequence.second_max : 0xBF)) {
      break;
    }
    ++good;
  }
  const auto second = good == 2 ? static_cast<std::uint8_t>(text[1]) : std::uint8_t{0xFF};
  if (good != sequence.size) {
    out += kReplacement;
  } else if (text[0] == '\xC2' && second < 0xA0) {
    AppendEscape(second, out);
  } else {
    out += text.substr(0, good);
  }
  return good;
}

bool IsPlainJson(char c) { return c >= ' ' && c < '\x7F' && c != '"' && c != '\\'; }

bool IsBareText(std::string_view text) {
  for (const char c : text) {
    if (!IsPlainJson(c) || c == ' ' || c == '=') return false;
  }
  return !text.empty();
}

template <typename Number>
void AppendNumber(Number number, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void AppendTwo(unsigned number, std::string& out) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

void AppendValue(LogFormat format, const LogValue& value, std::string& out) {
  std::visit(
      [format, &out](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::string_view>) {
          if (format != LogFormat::kJson && IsBareText(held)) {
            out += held;
          } else {
            AppendJsonString(held, out);
          }
        } else if constexpr (std::is_same_v<Held, bool>) {
          out += held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, double>) {
          if (std::isfinite(held)) {
            AppendNumber(held, out);
          } else {
            out += "null";
          }
        } else {
          AppendNumber(held, out);
        }
      },
      value.variant());
}

void AppendJson(const LogEvent& event, std::string_view level, std::string& out) {
  out += "{\"ts\":\"";
  AppendTime(event.time, out);
  out += "\",\"level\":\"";
  out += level;
  out += "\",\"event\":";
  AppendJsonString(event.name, out);
  for (const LogField& field : event.fields) {
    out += ',';
    AppendJsonString(field.name, out);
    out += ':';
    AppendValue(LogFormat::kJson, field.value, out);
  }
  out += "}\n";
}

void AppendFields(LogFormat format, const LogEvent& event, std::string& out) {
  for (const LogField& field : event.fields) {
    out += ' ';
    out += field.name;
    out += '=';
    AppendValue(format, field.value, out);
  }
  out += '\n';
}

void AppendLogfmt(const LogEvent& event, std::string_view level, std::string& out) {
  out += "ts=";
  AppendTime(event.time, out);
  out += " level=";
  out += level;
  out += " event=";
  AppendValue(LogFormat::kLogfmt, event.name, out);
  AppendFields(LogFormat::kLogfmt, event, out);
}

void AppendText(const LogEvent& event, std::string_view level, std::string& out) {
  AppendTime(event.time, out);
  out += ' ';
  out += level;
  out += ' ';
  AppendValue(LogFormat::kText, event.name, out);
  AppendFields(LogFormat::kText, event, out);
}

}  // namespace

void AppendTime(std::chrono::system_clock::time_point time, std::string& out) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(millis);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(millis - day);
  AppendNumber(static_cast<int>(date.year()), out);
  out += '-';
  AppendTwo(static_cast<unsigned>(date.month()), out);
  out += '-';
  AppendTwo(static_cast<unsigned>(date.day()), out);
  out += 'T';
  AppendTwo(static_cast<unsigned>(clock.hours().count()), out);
  out += ':';
  AppendTwo(static_cast<unsigned>(clock.minutes().count()), out);
  out += ':';
  AppendTwo(static_cast<unsigned>(clock.seconds().count()), out);
  out += '.';
  const auto fraction = static_cast<unsigned>(clock.subseconds().count());
  out += static_cast<char>('0' + fraction / 100);
  AppendTwo(fraction % 100, out);
  out += 'Z';
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t plain = at;
    while (plain < text.size() && IsPlainJson(text[plain])) ++plain;
    out += text.substr(at, plain - at);
    at = plain;
    if (at == text.size()) break;
    if (static_cast<std::uint8_t>(text[at]) >= 0x80) {
      at += AppendMultibyte(text.substr(at), out);
    } else {
      AppendEscape(static_cast<std::uint8_t>(text[at]), out);
      ++at;
    }
  }
  out += '"';
}

void AppendLine(LogFormat format, const LogEvent& event, std::string& out) {
  const std::string_view level = kLevelWords[static_cast<std::size_t>(event.level)];
  switch (format) {
    case LogFormat::kJson:
      AppendJson(event, level, out);
      break;
    case LogFormat::kLogfmt:
      AppendLogfmt(event, level, out);
      break;
    case LogFormat::kText:
      AppendText(event, level, out);
      break;
  }
}

}  // namespace connguard
