// Parsed: what reading a text gave, or why it gave nothing.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace connguard {

// `error` is a sentence without a capital and a full stop; empty exactly when there is a value.
template <typename T>
struct Parsed {
  std::optional<T> value;
  std::string error;

  static Parsed Of(T made) { return {std::move(made), {}}; }
  static Parsed Failed(std::string why) { return {std::nullopt, std::move(why)}; }
  explicit operator bool() const { return value.has_value(); }
};

}  // namespace connguard
