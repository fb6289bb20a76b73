// Builds WebSocket frames byte by byte, sound and unsound, for the tests.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ws/control_frame.h"

namespace connguard::testing {

using Octets = std::vector<std::uint8_t>;

inline Octets ToOctets(std::string_view text) { return {text.begin(), text.end()}; }

struct FrameSpec {
  std::uint8_t opcode = 1;
  bool fin = true;
  std::uint8_t rsv = 0;  // as it stands in the first byte: 0x40, 0x20, 0x10
  bool masked = false;
  MaskKey key = {0x11, 0x22, 0x33, 0x44};
  int length_form = 0;  // 0: the shortest; 16 or 64: that many bits, needed or not
};

inline Octets Frame(const FrameSpec& spec, const Octets& payload) {
  Octets out;
  out.push_back(static_cast<std::uint8_t>((spec.fin ? 0x80 : 0) | spec.rsv | spec.opcode));
  const std::uint64_t size = payload.size();
  int form = spec.length_form;
  if (form == 0 && size > 125) form = size > 65535 ? 64 : 16;
  const std::uint64_t first = form == 0 ? size : form == 16 ? 126 : 127;
  out.push_back(static_cast<std::uint8_t>((spec.masked ? 0x80 : 0) | first));
  for (int shift = form - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  if (spec.masked) out.insert(out.end(), spec.key.begin(), spec.key.end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(static_cast<std::uint8_t>(payload[i] ^ (spec.masked ? spec.key[i % 4] : 0)));
  }
  return out;
}

inline Octets Frame(const FrameSpec& spec, std::string_view payload) {
  return Frame(spec, ToOctets(payload));
}

inline Octets operator+(Octets left, const Octets& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace connguard::testing
