#include "bench/answer_reader.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "bench/ascii.h"

namespace connguard::bench {
namespace {

constexpr std::size_t kLongestLine = 8192;

template <typename Number>
bool Parse(std::string_view text, Number& number, int base = 10) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

std::size_t AnswerReader::Take(std::string_view input) {
  std::size_t taken = 0;
  while (taken < input.size() && state_ != State::kDone && state_ != State::kFailed) {
    const bool in_data = state_ == State::kBody || state_ == State::kChunkData;
    const std::string_view rest = input.substr(taken);
    taken += in_data ? TakeData(rest) : TakeLine(rest);
  }
  return taken;
}

void AnswerReader::BeginNext() { *this = AnswerReader(); }

std::size_t AnswerReader::TakeData(std::string_view input) {
  const std::size_t taken = std::min(left_, input.size());
  left_ -= taken;
  body_size_ += taken;
  if (left_ == 0) state_ = state_ == State::kBody ? State::kDone : State::kChunkEnd;
  return taken;
}

std::size_t AnswerReader::TakeLine(std::string_view input) {
  const std::size_t feed = input.find('\n');
  const std::string_view part = input.substr(0, feed);
  if (line_.size() + part.size() > kLongestLine) {
    Fail("a line without end");
  } else if (feed == std::string_view::npos) {
    line_ += part;
    return input.size();
  } else {
    if (!line_.empty()) line_ += part;
    std::string_view line = line_.empty() ? part : std::string_view(line_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    OnLine(line);
    line_.clear();
  }
  return part.size() + 1;
}

void AnswerReader::OnLine(std::string_view line) {
  switch (state_) {
    case State::kStatusLine:
      return OnStatusLine(line);
    case State::kFields:
      return line.empty() ? OnHeadEnd() : OnField(line);
    case State::kChunkLine:
      return OnChunkLine(line);
    case State::kChunkEnd:
      state_ = State::kChunkLine;
      if (!line.empty()) Fail("a chunk that is longer than it says");
      return;
    case State::kTrailers:
      if (line.empty()) state_ = State::kDone;
      return;
    case State::kBody:
    case State::kChunkData:
    case State::kDone:
    case State::kFailed:
      return;
  }
}

void AnswerReader::OnStatusLine(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ") || !Parse(line.substr(9, 3), status_)) {
    return Fail("no HTTP/1.1 status line");
  }
  state_ = State::kFields;
}

void AnswerReader::OnField(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Fail("a field without colon");
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (EqualsIgnoringCase(name, "content-length")) {
    has_length_ = true;
    if (!Parse(value, left_)) Fail("an illegal Content-Length");
  } else if (EqualsIgnoringCase(name, "transfer-encoding")) {
    chunked_ = true;
    if (!EqualsIgnoringCase(value, "chunked")) Fail("an unknown Transfer-Encoding");
  } else if (EqualsIgnoringCase(name, "connection")) {
    closes_ = EqualsIgnoringCase(value, "close");
  }
}

void AnswerReader::OnHeadEnd() {
  if (has_length_ == chunked_) return Fail("not exactly one of Content-Length and chunks");
  state_ = chunked_ ? State::kChunkLine : left_ == 0 ? State::kDone : State::kBody;
}

void AnswerReader::OnChunkLine(std::string_view line) {
  if (!Parse(line, left_, 16)) return Fail("an illegal chunk size");
  state_ = left_ == 0 ? State::kTrailers : State::kChunkData;
}

void AnswerReader::Fail(std::string_view fault) {
  fault_ = fault;
  state_ = State::kFailed;
}

}  // namespace connguard::bench
