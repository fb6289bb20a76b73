// The parameters of a request.
#include "admin/query.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace connguard {
namespace {

[[noreturn]] void Refuse(std::string_view name, const std::string& why) {
  throw BadParameter("parameter '" + std::string(name) + "': " + why);
}

}  // namespace

Query::Query(const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    if (equals == std::string::npos) Refuse(name, "has no value");
    if (std::ranges::find(parameters_, name, &Parameter::name) != parameters_.end()) {
      Refuse(name, "is there twice");
    }
    parameters_.push_back({name, part.substr(equals + 1)});
  }
}

std::optional<std::string> Query::Text(std::string_view name) {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  if (found == parameters_.end()) return std::nullopt;
  found->known = true;
  if (found->value.empty()) Refuse(name, "has no value");
  return found->value;
}

std::uint64_t Query::Number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                            std::uint64_t most) {
  const std::optional<std::string> text = Text(name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < least ||
      number > most) {
    Refuse(name, "expected a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

std::optional<std::string_view> Query::Word(std::string_view name,
                                            std::span<const std::string_view> words) {
  const std::optional<std::string> text = Text(name);
  if (!text) return std::nullopt;
  const auto found = std::ranges::find(words, *text);
  if (found != words.end()) return *found;
  std::string choice;
  for (const std::string_view word : words) choice.append(choice.empty() ? "" : ", ").append(word);
  Refuse(name, "expected one of " + choice);
}

void Query::Finish() const {
  const auto unknown = std::ranges::find(parameters_, false, &Parameter::known);
  if (unknown != parameters_.end()) Refuse(unknown->name, "is none of this endpoint's");
}

}  // namespace connguard
