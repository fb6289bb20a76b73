// ByteBuffer: bytes that one step leaves for the next, without zeroing what is about to be written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "connguard/types.h"

namespace connguard {

// Grows as needed and keeps what it has. Owned by one worker; not thread-safe.
class ByteBuffer {
 public:
  explicit ByteBuffer(Bytes capacity = 0);
  ByteBuffer(ByteBuffer&& other) noexcept;
  ByteBuffer& operator=(ByteBuffer&& other) noexcept;

  // Free space behind the bytes, `least` or more; they count once Add() says so.
  std::span<std::uint8_t> Room(Bytes least);
  void Add(Bytes count) { size_ += count; }
  void Append(std::span<const std::uint8_t> bytes);
  void Clear() { size_ = 0; }

  Bytes size() const { return size_; }
  std::span<const std::uint8_t> bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  Bytes capacity_ = 0;
  Bytes size_ = 0;
};

}  // namespace connguard
