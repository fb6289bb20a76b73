// Exact decimal arithmetic: 0.1s is 100ms and not something near it.
#include "config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace connguard {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr auto kTimeUnits =
    std::to_array<Unit>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});
constexpr auto kSizeUnits =
    std::to_array<Unit>({{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}});

struct Kind {
  std::span<const Unit> units;
  std::string_view expected;
  std::string_view choice;
  std::string_view finest;
};

constexpr Kind kTime{kTimeUnits, "a duration such as 500ms, 3s, 2m or 1h", "ms, s, m or h",
                     "a millisecond"};
constexpr Kind kSize{kSizeUnits, "a size such as 512B, 32KiB, 16MiB or 1GiB", "B, KiB, MiB or GiB",
                     "a byte"};

// With nine digits, mantissa times unit stays below 2^63 for every unit above.
constexpr std::size_t kMostDigits = 9;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Parsed<std::int64_t> Fail(std::string why) { return Parsed<std::int64_t>::Failed(std::move(why)); }

Parsed<std::int64_t> ParseQuantity(std::string_view text, const Kind& kind) {
  if (text == "0") return Parsed<std::int64_t>::Of(0);
  const auto number_end =
      std::ranges::find_if(text, [](char c) { return !IsDigit(c) && c != '.'; });
  const std::string number(text.begin(), number_end);
  const std::string_view unit_name = text.substr(number.size());
  const std::size_t point = number.find('.');
  const bool point_inside = point != 0 && point != number.size() - 1 && number.rfind('.') == point;
  if (number.empty() || !point_inside) {
    return Fail("expected " + std::string(kind.expected) + ", found " + Quoted(text));
  }
  if (unit_name.empty()) {
    return Fail(Quoted(text) + " has no unit; use " + std::string(kind.choice));
  }
  const auto unit = std::ranges::find(kind.units, unit_name, &Unit::name);
  if (unit == kind.units.end()) {
    return Fail("unknown unit " + Quoted(unit_name) + " in " + Quoted(text) + "; use " +
                std::string(kind.choice));
  }

  std::string digits = number;
  std::int64_t divisor = 1;
  if (point != std::string::npos) {
    digits.erase(point, 1);
    for (std::size_t i = point; i < digits.size(); ++i) divisor *= 10;
  }
  if (digits.size() > kMostDigits) return Fail(Quoted(text) + " has too many digits");
  std::int64_t mantissa = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), mantissa);
  const std::int64_t product = mantissa * unit->size;
  if (product % divisor != 0) {
    return Fail(Quoted(text) + " is finer than " + std::string(kind.finest));
  }
  return Parsed<std::int64_t>::Of(product / divisor);
}

std::string FormatQuantity(std::int64_t value, const Kind& kind) {
  for (const Unit& unit : kind.units) {
    if (value != 0 && value % unit.size == 0) {
      return std::to_string(value / unit.size) + std::string(unit.name);
    }
  }
  return "0";
}

}  // namespace

Parsed<Millis> ParseDuration(std::string_view text) {
  auto parsed = ParseQuantity(text, kTime);
  if (!parsed) return Parsed<Millis>::Failed(std::move(parsed.error));
  return Parsed<Millis>::Of(Millis(*parsed.value));
}

std::string FormatDuration(Millis duration) { return FormatQuantity(duration.count(), kTime); }

Parsed<Bytes> ParseSize(std::string_view text) {
  auto parsed = ParseQuantity(text, kSize);
  if (!parsed) return Parsed<Bytes>::Failed(std::move(parsed.error));
  return Parsed<Bytes>::Of(static_cast<Bytes>(*parsed.value));
}

std::string FormatSize(Bytes size) {
  return FormatQuantity(static_cast<std::int64_t>(size), kSize);
}

Parsed<std::uint64_t> ParseCount(std::string_view text) {
  if (text.empty() || text.size() > kMostDigits || !std::ranges::all_of(text, IsDigit)) {
    return Parsed<std::uint64_t>::Failed("expected a whole number, found " + Quoted(text));
  }
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return Parsed<std::uint64_t>::Of(count);
}

}  // namespace connguard
