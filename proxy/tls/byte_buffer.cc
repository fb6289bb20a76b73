#include "tls/byte_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace connguard {

ByteBuffer::ByteBuffer(Bytes capacity) {
  if (capacity > 0) {
    Room(capacity);
  }
}

ByteBuffer::ByteBuffer(ByteBuffer&& other) noexcept
    : data_(std::move(other.data_)),
      capacity_(std::exchange(other.capacity_, 0)),
      size_(std::exchange(other.size_, 0)) {}

ByteBuffer& ByteBuffer::operator=(ByteBuffer&& other) noexcept {
  data_ = std::move(other.data_);
  capacity_ = std::exchange(other.capacity_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

std::span<std::uint8_t> ByteBuffer::Room(Bytes least) {
  if (capacity_ - size_ < least) {
    const Bytes capacity = std::max(size_ + least, 2 * capacity_);
    auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    if (size_ > 0) {
      std::memcpy(grown.get(), data_.get(), size_);
    }
    data_ = std::move(grown);
    capacity_ = capacity;
  }
  return {data_.get() + size_, capacity_ - size_};
}

void ByteBuffer::Append(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty()) {
    std::memcpy(Room(bytes.size()).data(), bytes.data(), bytes.size());
    Add(bytes.size());
  }
}

}  // namespace connguard
