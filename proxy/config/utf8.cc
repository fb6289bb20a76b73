// The table of RFC 3629 §4: only the second byte of a sequence has a range of its own.
#include "config/utf8.h"

namespace connguard {
namespace {

struct Sequence {
  std::size_t length = 0;  // 0: no sequence starts with this byte
  unsigned least = 0x80;   // of the second byte
  unsigned most = 0xBF;
};

Sequence SequenceOf(unsigned first) {
  if (first < 0x80) return {1};
  if (first >= 0xC2 && first <= 0xDF) return {2};
  if (first == 0xE0) return {3, 0xA0};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return {3};
  if (first == 0xF0) return {4, 0x90};
  if (first >= 0xF1 && first <= 0xF3) return {4};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

}  // namespace

std::size_t FirstInvalidUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const Sequence sequence = SequenceOf(byte(i));
    if (sequence.length == 0 || text.size() - i < sequence.length) return i;
    for (std::size_t k = 1; k < sequence.length; ++k) {
      const unsigned least = k == 1 ? sequence.least : 0x80;
      const unsigned most = k == 1 ? sequence.most : 0xBF;
      if (byte(i + k) < least || byte(i + k) > most) return i;
    }
    i += sequence.length;
  }
  return std::string_view::npos;
}

}  // namespace connguard
