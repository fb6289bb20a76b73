// Inflater over zlib.
#include "ws/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace connguard {
namespace {

// What a sender takes off a message's end (RFC 7692 §7.2.1): the length of an empty stored block,
// whose header stays.
constexpr auto kTail = std::to_array<std::uint8_t>({0x00, 0x00, 0xFF, 0xFF});

constexpr std::size_t kStep = 8 * 1024;

// z_stream::data_type: the call ended right behind a block, and bits of the last byte are unused.
constexpr int kBehindBlock = 128;
constexpr int kUnusedBits = 63;

}  // namespace

struct Inflater::Stream {
  explicit Stream(int window_bits) : usable(inflateInit2(&zlib, -window_bits) == Z_OK) {}
  ~Stream() {
    if (usable) inflateEnd(&zlib);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream zlib{};  // zlib keeps its address
  bool usable;
};

Inflater::Inflater(const InflatePolicy& policy, Bytes message_size)
    : policy_(policy), message_size_(message_size) {}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

InflateStatus Inflater::Add(std::span<const std::uint8_t> payload,
                            std::vector<std::uint8_t>& message) {
  if (status_ != InflateStatus::kSound || payload.empty()) return status_;
  return Run(payload, message);
}

InflateStatus Inflater::End(std::vector<std::uint8_t>& message) {
  if (status_ != InflateStatus::kSound) return status_;
  if (Run(kTail, message) != InflateStatus::kSound) return status_;
  // A message that ended within a block would have its end in the next one, and another receiver
  // might see other messages than we do.
  const int state = stream_->zlib.data_type;
  if ((state & kBehindBlock) == 0 || (state & kUnusedBits) != 0) {
    return Fail(InflateStatus::kCorrupt);
  }
  if (!policy_.context_takeover) stream_.reset();
  return status_;
}

InflateStatus Inflater::Run(std::span<const std::uint8_t> in, std::vector<std::uint8_t>& message) {
  if (stream_ == nullptr) stream_ = std::make_unique<Stream>(policy_.window_bits);
  if (!stream_->usable) return Fail(InflateStatus::kTooBig);  // no memory
  z_stream& zlib = stream_->zlib;
  zlib.next_in = const_cast<Bytef*>(in.data());  // it only reads
  zlib.avail_in = static_cast<uInt>(in.size());
  std::array<std::uint8_t, kStep> made;
  while (true) {
    zlib.next_out = made.data();
    zlib.avail_out = static_cast<uInt>(made.size());
    // By blocks: only so does data_type tell of their ends.
    const int result = inflate(&zlib, Z_BLOCK);
    const std::size_t size = made.size() - zlib.avail_out;
    if (Append(std::span(made).first(size), message) != InflateStatus::kSound) return status_;
    switch (result) {
      case Z_OK:
        if (zlib.avail_in == 0 && zlib.avail_out > 0) return status_;
        break;
      case Z_BUF_ERROR:  // the input is used up
        return status_;
      case Z_STREAM_END:
        inflateResetKeep(&zlib);  // keeps the window: a new stream may refer to it or not
        break;
      case Z_MEM_ERROR:
        return Fail(InflateStatus::kTooBig);
      default:
        return Fail(InflateStatus::kCorrupt);
    }
  }
}

InflateStatus Inflater::Append(std::span<const std::uint8_t> made,
                               std::vector<std::uint8_t>& message) {
  if (made.size() > message_size_ - message.size()) return Fail(InflateStatus::kTooBig);
  const std::size_t size = message.size() + made.size();
  if (size > message.capacity()) {
    // As a vector grows by itself, but not beyond what is allowed.
    message.reserve(std::min<Bytes>(message_size_, std::max(size, 2 * message.capacity())));
  }
  message.insert(message.end(), made.begin(), made.end());
  return status_;
}

InflateStatus Inflater::Fail(InflateStatus status) {
  stream_.reset();
  status_ = status;
  return status;
}

}  // namespace connguard
