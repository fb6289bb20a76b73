#include "bench/message.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>
#include <system_error>

#include "bench/frame.h"

namespace connguard::bench {
namespace {

constexpr std::string_view kJsonBegin = R"({"type":"chat","id":")";
constexpr std::string_view kJsonText = R"(","content":")";
constexpr std::string_view kJsonEnd = R"("})";

void AppendHex(std::string& text, std::uint64_t value, unsigned digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned digit = digits; digit > 0; --digit) {
    text += kDigits[value >> (4 * (digit - 1)) & 0xf];
  }
}

template <typename Number>
bool ParseHex(std::string_view text, Number& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

std::string ToText(const Mark& mark) {
  const std::chrono::nanoseconds at = mark.at.time_since_epoch();
  std::string text;
  AppendHex(text, mark.client, 8);
  AppendHex(text, mark.number, 8);
  AppendHex(text, static_cast<std::uint64_t>(at.count()), 16);
  return text;
}

std::optional<Mark> ParseMark(std::string_view text) {
  Mark mark;
  std::int64_t nanoseconds = 0;
  if (text.size() < kMarkSize || !ParseHex(text.substr(0, 8), mark.client) ||
      !ParseHex(text.substr(8, 8), mark.number) || !ParseHex(text.substr(16, 16), nanoseconds)) {
    return std::nullopt;
  }
  mark.at = Clock::time_point(std::chrono::nanoseconds(nanoseconds));
  return mark;
}

Message::Message(std::size_t size, Shape shape)
    : place_(shape == Shape::kJson ? kJsonBegin.size() : 0) {
  if (size < Smallest(shape)) throw std::invalid_argument("messages are too short for their mark");
  if (shape == Shape::kJson) text_ = kJsonBegin;
  text_ += ToText({});
  if (shape == Shape::kJson) text_ += kJsonText;
  const std::size_t end = shape == Shape::kJson ? kJsonEnd.size() : 0;
  text_.append(size - end - text_.size(), 'x');
  if (shape == Shape::kJson) text_ += kJsonEnd;
  client_frame_ = MakeFrame(Sender::kClient, Opcode::kText, text_);
  server_frame_ = MakeFrame(Sender::kServer, Opcode::kText, text_);
}

std::size_t Message::Smallest(Shape shape) {
  const std::size_t around = kJsonBegin.size() + kJsonText.size() + kJsonEnd.size();
  return kMarkSize + (shape == Shape::kJson ? around : 0);
}

std::string_view Message::Text(const Mark& mark) {
  return text_.replace(place_, kMarkSize, ToText(mark));
}

std::string_view Message::ClientFrame(const Mark& mark) {
  std::string bytes = ToText(mark);
  Mask(bytes, place_);
  return client_frame_.replace(client_frame_.size() - text_.size() + place_, kMarkSize, bytes);
}

std::string_view Message::ServerFrame(const Mark& mark) {
  return server_frame_.replace(server_frame_.size() - text_.size() + place_, kMarkSize,
                               ToText(mark));
}

std::optional<Mark> Message::MarkOf(std::string_view text) {
  if (text.size() != text_.size()) return std::nullopt;
  const std::optional<Mark> mark = ParseMark(text.substr(place_));
  return mark && Text(*mark) == text ? mark : std::nullopt;
}

}  // namespace connguard::bench
