// HeadScan: see the header.
#include "http/head_scan.h"

#include <algorithm>

namespace connguard {
namespace {

// The complaint about `c` behind `text`, whose current line begins at `line_begin`; or null.
const char* Complain(std::string_view text, std::size_t line_begin, char c) {
  const bool after_cr = !text.empty() && text.back() == '\r';
  if (c == '\n') return after_cr ? nullptr : "bare LF";
  if (after_cr) return "bare CR";
  if (c == '\r') return nullptr;
  const auto code = static_cast<unsigned char>(c);
  if ((code < 0x20 && c != '\t') || code == 0x7F) return "control character";
  if (text.size() == line_begin && (c == ' ' || c == '\t')) return "line begins with white space";
  return nullptr;
}

}  // namespace

HeadScan::Status HeadScan::Feed(std::span<const std::uint8_t> in, Bytes& taken) {
  for (taken = 0; taken < in.size();) {
    if (text_.size() == limit_) return Status::kTooLong;
    const char c = static_cast<char>(in[taken]);
    ++taken;
    why_ = Complain(text_, line_begin_, c);
    if (why_ != nullptr) return Status::kIllegal;
    text_ += c;
    if (c != '\n') continue;
    const bool empty_line = text_.size() == line_begin_ + 2;
    if (empty_line && text_.size() == 2 && leading_line_allowed_) {
      text_.clear();
      leading_line_allowed_ = false;
      continue;
    }
    if (empty_line) return Status::kComplete;
    line_begin_ = text_.size();
  }
  return text_.size() == limit_ ? Status::kTooLong : Status::kNeedMore;
}

bool IsChunkStart(std::string_view text, bool first) {
  constexpr std::string_view kCrlf = "\r\n";
  if (!first) {
    const std::size_t size = std::min(text.size(), kCrlf.size());
    if (text.substr(0, size) != kCrlf.substr(0, size)) return false;
    text.remove_prefix(size);
  }
  const std::size_t digits = text.find_first_not_of("0123456789abcdefABCDEF");
  if (digits == std::string_view::npos) return true;
  return digits > 0 && std::string_view("; \t\r").find(text[digits]) != std::string_view::npos;
}

const char* FindIllegalLine(std::string_view text) {
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const char* why = Complain(text.substr(0, i), line_begin, text[i]); why != nullptr) {
      return why;
    }
    if (text[i] == '\n') line_begin = i + 1;
  }
  return nullptr;
}

}  // namespace connguard
