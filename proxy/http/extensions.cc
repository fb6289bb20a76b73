// Lists of extensions and their parameters.
#include "http/extensions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/text.h"

namespace connguard {
namespace {

constexpr std::string_view kField = "Sec-WebSocket-Extensions";
constexpr std::string_view kDeflate = "permessage-deflate";

// As TakeUntil, but a separator within quotes is none.
std::string_view TakeUntilUnquoted(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t size = 0;
  while (size < rest.size() && (quoted || rest[size] != separator)) {
    if (rest[size] == '"') quoted = !quoted;
    size += quoted && rest[size] == '\\' ? 2 : 1;
  }
  const std::string_view item = rest.substr(0, size);
  rest.remove_prefix(std::min(rest.size(), size + 1));
  return item;
}

// Takes the next extension off the front of a list; empty elements are none (RFC 9110 §5.6.1).
std::string_view TakeExtension(std::string_view& list) {
  std::string_view extension;
  while (extension.empty() && !list.empty()) extension = Trim(TakeUntilUnquoted(list, ','));
  return extension;
}

bool IsDeflate(std::string_view extension) {
  return EqualsIgnoringCase(Trim(TakeUntilUnquoted(extension, ';')), kDeflate);
}

// 8 to 15, without a leading zero; nullopt when it is something else. Quotes are allowed
// (RFC 6455 §9.1), escapes in them pointless.
std::optional<int> WindowBits(std::string_view value) {
  if (value.size() > 2 && value.starts_with('"') && value.ends_with('"')) {
    value = value.substr(1, value.size() - 2);
  }
  if (value == "8" || value == "9") return value[0] - '0';
  const bool sound = value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5';
  return sound ? std::optional(10 + value[1] - '0') : std::nullopt;
}

// nullopt when a parameter is unknown, there twice, or has no right value. An answer's
// client_max_window_bits must have one.
std::optional<DeflateParameters> ParseDeflate(std::string_view extension) {
  DeflateParameters parameters;
  const auto flags = std::to_array<std::pair<std::string_view, bool*>>(
      {{"server_no_context_takeover", &parameters.server_no_context_takeover},
       {"client_no_context_takeover", &parameters.client_no_context_takeover}});
  const auto numbers = std::to_array<std::pair<std::string_view, int*>>(
      {{"server_max_window_bits", &parameters.server_max_window_bits},
       {"client_max_window_bits", &parameters.client_max_window_bits}});
  std::vector<std::string_view> seen;
  std::string_view rest = extension;
  TakeUntilUnquoted(rest, ';');  // its name
  if (extension.ends_with(';')) return std::nullopt;
  while (!rest.empty()) {
    std::string_view value = TakeUntilUnquoted(rest, ';');
    const bool valued = value.find('=') != std::string_view::npos;
    const std::string_view name = Trim(TakeUntil(value, '='));
    const auto is_named = [name](const auto& known) {
      return EqualsIgnoringCase(known.first, name);
    };
    const auto* flag = std::ranges::find_if(flags, is_named);
    const auto* number = std::ranges::find_if(numbers, is_named);
    if (flag != flags.end() && !valued) {
      *flag->second = true;
      seen.push_back(flag->first);
    } else if (const auto bits = WindowBits(Trim(value)); number != numbers.end() && bits) {
      *number->second = *bits;
      seen.push_back(number->first);
    } else {
      return std::nullopt;
    }
    if (std::ranges::count(seen, seen.back()) > 1) return std::nullopt;
  }
  return parameters;
}

}  // namespace

bool NamesDeflate(const std::vector<Field>& fields) {
  return std::ranges::any_of(fields, [](const Field& field) {
    return EqualsIgnoringCase(field.name, kField) && !DeflateOffers(field.value).empty();
  });
}

std::string DeflateOffers(std::string_view value) {
  std::string offers;
  std::string_view rest = value;
  bool all = true;
  while (!rest.empty()) {
    const std::string_view extension = TakeExtension(rest);
    if (IsDeflate(extension)) {
      offers.append(offers.empty() ? "" : ", ").append(extension);
    } else {
      all = all && extension.empty();
    }
  }
  return all && !offers.empty() ? std::string(value) : offers;
}

Extensions ReadExtensions(const ResponseHead& head, bool deflate_offered) {
  Extensions extensions;
  for (const Field& field : head.fields) {
    if (!EqualsIgnoringCase(field.name, kField)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::string_view extension = TakeExtension(rest);
      if (extension.empty()) break;
      if (!IsDeflate(extension) || !deflate_offered) {
        return {{}, "the upstream's 101 turns on an extension that was not offered"};
      }
      if (extensions.deflate) return {{}, "the upstream's 101 accepts permessage-deflate twice"};
      extensions.deflate = ParseDeflate(extension);
      if (!extensions.deflate) {
        return {{}, "the upstream's 101 has bad parameters of permessage-deflate"};
      }
    }
  }
  return extensions;
}

}  // namespace connguard
