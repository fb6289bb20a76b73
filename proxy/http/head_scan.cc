// HeadScan: see the header.
#include "http/head_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace connguard {
namespace {

enum class Kind : std::uint8_t { kPlain, kBlank, kCr, kLf, kControl };

constexpr std::array<Kind, 256> MakeKinds() {
  std::array<Kind, 256> kinds{};
  for (std::size_t c = 0; c < 0x20; ++c) kinds[c] = Kind::kControl;
  kinds[0x7F] = Kind::kControl;
  kinds[' '] = kinds['\t'] = Kind::kBlank;
  kinds['\r'] = Kind::kCr;
  kinds['\n'] = Kind::kLf;
  return kinds;
}

constexpr std::array<Kind, 256> kKinds = MakeKinds();

// The complaint about a byte of this kind, or null. `after_cr`: the one before it was a CR;
// `line_empty`: nothing of its line has come.
const char* Complain(Kind kind, bool after_cr, bool line_empty) {
  if (kind == Kind::kLf) return after_cr ? nullptr : "bare LF";
  if (after_cr) return "bare CR";
  if (kind == Kind::kControl) return "control character";
  if (kind == Kind::kBlank && line_empty) return "line begins with white space";
  return nullptr;
}

// How many of eight bytes come before the first that is below 0x20 or 0x7F, by looking at all of
// them at once: a byte below `n` borrows when `n` is taken from it. What borrows from its neighbour
// comes behind the first.
std::size_t CountPlain(const std::uint8_t* eight) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, eight, sizeof(bytes));
  if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
  const std::uint64_t deleted = bytes ^ (0x7F * kEach);
  const std::uint64_t low = (bytes - 0x20 * kEach) & ~bytes;
  const std::uint64_t found = (low | ((deleted - kEach) & ~deleted)) & (0x80 * kEach);
  return static_cast<std::size_t>(std::countr_zero(found)) / 8;
}

// How many bytes `rest` begins with that may follow another in its line, up to a tab.
std::size_t CountText(std::span<const std::uint8_t> rest) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  std::size_t size = 0;
  for (; rest.size() - size >= kStep; size += kStep) {
    const std::size_t plain = CountPlain(rest.data() + size);
    if (plain < kStep) return size + plain;
  }
  const auto plain = [](std::uint8_t c) {
    return kKinds[c] == Kind::kPlain || kKinds[c] == Kind::kBlank;
  };
  while (size < rest.size() && plain(rest[size])) ++size;
  return size;
}

}  // namespace

HeadScan::Status HeadScan::Feed(std::span<const std::uint8_t> in, Bytes& taken) {
  const std::string_view text(reinterpret_cast<const char*>(in.data()), in.size());
  std::size_t begin = 0;  // of the head, in `text`
  const Bytes room = limit_ - kept_.size();
  for (taken = 0; taken < text.size() && taken - begin < room;) {
    const Kind kind = kKinds[in[taken]];
    ++taken;
    if (kind == Kind::kPlain && !after_cr_) {
      line_empty_ = false;
      taken += CountText(in.first(std::min(text.size(), begin + room)).subspan(taken));
      continue;
    }
    if (const char* why = Complain(kind, after_cr_, line_empty_); why != nullptr) {
      why_ = why;
      return Status::kIllegal;
    }
    after_cr_ = kind == Kind::kCr;
    if (kind == Kind::kBlank) line_empty_ = false;
    if (kind != Kind::kLf) continue;
    const bool leading = line_empty_ && lines_ == 0 && leading_line_allowed_;
    if (line_empty_ && !leading) {
      whole_ = text.substr(begin, taken - begin);
      if (!kept_.empty()) whole_ = kept_.append(whole_);
      return Status::kComplete;
    }
    line_empty_ = true;
    if (leading) {
      leading_line_allowed_ = false;
      kept_.clear();
      begin = taken;
    } else {
      ++lines_;
    }
  }
  if (taken - begin >= room) return Status::kTooLong;
  kept_.append(text.substr(begin, taken - begin));
  return Status::kNeedMore;
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
  if (digits == 0 || std::string_view("; \t\r").find(text[digits]) == std::string_view::npos) {
    return false;
  }
  const bool last = text.find_first_not_of('0') == digits;
  return text.find(last ? "\r\n\r\n" : kCrlf, digits) == std::string_view::npos;
}

const char* FindIllegalLine(std::string_view text) {
  bool after_cr = false;
  bool line_empty = true;
  for (const char c : text) {
    const Kind kind = kKinds[static_cast<std::uint8_t>(c)];
    if (const char* why = Complain(kind, after_cr, line_empty); why != nullptr) return why;
    after_cr = kind == Kind::kCr;
    line_empty = kind == Kind::kLf || (line_empty && kind == Kind::kCr);
  }
  return nullptr;
}

}  // namespace connguard
