// Compresses messages as a peer with permessage-deflate does, for the tests.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string_view>

#include "frames.h"

namespace connguard::testing {

// The sender of one direction.
class Deflater {
 public:
  explicit Deflater(int window_bits = 15, bool context_takeover = true)
      : context_takeover_(context_takeover) {
    if (deflateInit2(&zlib_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::runtime_error("deflateInit2");
    }
  }
  ~Deflater() { deflateEnd(&zlib_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // A message's payload, without the tail that RFC 7692 §7.2.1 takes off.
  Octets Message(std::string_view text) {
    Octets out = Deflate(text, Z_SYNC_FLUSH);
    out.resize(out.size() - 4);
    if (!context_takeover_) deflateReset(&zlib_);
    return out;
  }

  // Likewise, ended by a block with BFINAL (§7.2.3.4).
  Octets FinalMessage(std::string_view text) {
    Octets out = Deflate(text, Z_FINISH);
    out.push_back(0);
    deflateReset(&zlib_);
    return out;
  }

 private:
  Octets Deflate(std::string_view text, int flush) {
    Octets out(deflateBound(&zlib_, text.size()) + 64);
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    zlib_.avail_in = static_cast<uInt>(text.size());
    zlib_.next_out = out.data();
    zlib_.avail_out = static_cast<uInt>(out.size());
    deflate(&zlib_, flush);
    out.resize(out.size() - zlib_.avail_out);
    return out;
  }

  z_stream zlib_{};
  bool context_takeover_;
};

}  // namespace connguard::testing
