// HeadScan: finds the end of a head and refuses bytes that no head may hold.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connguard/types.h"

namespace connguard {

// Looks at lines only, so that what reaches the parser has nothing that it reads differently from
// other parsers: bare CR, bare LF, control characters, folded lines (RFC 9112 §2.2, §5.2).
//
// Pure; not thread-safe.
class HeadScan {
 public:
  enum class Status : std::uint8_t { kNeedMore, kComplete, kTooLong, kIllegal };

  explicit HeadScan(Bytes limit) : limit_(limit) {}

  // Ignore one empty line before the head (RFC 9112 §2.2: some clients send one behind a body).
  void AllowLeadingEmptyLine() { leading_line_allowed_ = true; }

  // Takes bytes up to the end of the head; `taken` says how many.
  Status Feed(std::span<const std::uint8_t> in, Bytes& taken);

  // kComplete: the head's bytes, its final empty line included. Lives as long as the input of the
  // last Feed and this do: a head that came in one piece is not copied.
  std::string_view text() const { return whole_; }
  bool in_first_line() const { return lines_ == 0; }
  // kIllegal: a short sentence.
  const char* why() const { return why_; }

 private:
  Bytes limit_;
  std::string kept_;  // the head's begin, when it comes in pieces
  std::string_view whole_;
  std::size_t lines_ = 0;   // that are complete
  bool line_empty_ = true;  // so far, the current one
  bool after_cr_ = false;
  bool leading_line_allowed_ = false;
  const char* why_ = "";
};

// True when `text` can be the begin of [CRLF] chunk-size, the CRLF of the chunk before it being
// there unless it is the first (RFC 9112 §7.1). Not when the header's end is there, or that of the
// last one's trailers: the parser takes such a text, unless it is illegal or it looks for the end
// of a quoted string in what follows, where others have seen the chunk begin.
bool IsChunkStart(std::string_view text, bool first);

// The same rules for text that is complete: chunk headers and trailers. Null when it is legal.
const char* FindIllegalLine(std::string_view text);

}  // namespace connguard
