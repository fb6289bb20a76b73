// Messages of a size that say who sent them, as which, and when.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bench/socket.h"

namespace connguard::bench {

// 32 hexadecimal digits somewhere in the text, so that every message is UTF-8 and can be JSON.
struct Mark {
  std::uint32_t client = 0;
  std::uint32_t number = 0;  // from 0, or what else counts
  Clock::time_point at;      // CLOCK_MONOTONIC, the same in all processes of the machine
};
inline constexpr std::size_t kMarkSize = 32;

std::string ToText(const Mark& mark);
std::optional<Mark> ParseMark(std::string_view text);

// "stream" and a mark asks the origin for `number` tokens, each of them a mark and letters up to
// kTokenSize. It sends any other message back.
inline constexpr std::string_view kStreamWord = "stream ";
inline constexpr std::size_t kTokenSize = 64;

// A text of one size, made once and marked for every use. What is returned holds until the next
// call.
class Message {
 public:
  enum class Shape { kLetters, kJson };

  // `size`: at least Smallest(shape).
  explicit Message(std::size_t size, Shape shape = Shape::kLetters);
  static std::size_t Smallest(Shape shape);

  std::string_view Text(const Mark& mark);
  std::string_view ClientFrame(const Mark& mark);  // the text's, masked
  std::string_view ServerFrame(const Mark& mark);

  // The mark, if the text is this message but for its mark; else none.
  std::optional<Mark> MarkOf(std::string_view text);

 private:
  std::size_t place_;  // of the mark in the text
  std::string text_;
  std::string client_frame_;
  std::string server_frame_;
};

}  // namespace connguard::bench
