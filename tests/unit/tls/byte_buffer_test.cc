#include "tls/byte_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "unit/tls/tls_pair.h"

namespace connguard::testing {
namespace {

TEST(ByteBufferTest, GrowsAndKeepsWhatItHas) {
  ByteBuffer buffer;
  EXPECT_EQ(buffer.size(), 0U);
  buffer.Append(AsBytes("abc"));
  const std::span<std::uint8_t> room = buffer.Room(100'000);
  ASSERT_GE(room.size(), 100'000U);
  std::ranges::fill(room.first(100'000), 'x');
  EXPECT_EQ(Text(buffer), "abc");  // until Add() says so
  buffer.Add(100'000);
  EXPECT_EQ(Text(buffer), "abc" + std::string(100'000, 'x'));
}

TEST(ByteBufferTest, KeepsItsRoomWhenCleared) {
  ByteBuffer buffer(64);
  const std::uint8_t* before = buffer.Room(64).data();
  buffer.Append(AsBytes("abc"));
  buffer.Clear();
  EXPECT_EQ(buffer.Room(64).data(), before);
}

// NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that is what it tests.
TEST(ByteBufferTest, WhatIsMovedFromIsEmptyAndUsable) {
  ByteBuffer from;
  from.Append(AsBytes("abc"));
  ByteBuffer to = std::move(from);
  from.Append(AsBytes("d"));
  EXPECT_EQ(Text(to), "abc");
  EXPECT_EQ(Text(from), "d");
  to = std::move(from);
  EXPECT_EQ(Text(to), "d");
  EXPECT_EQ(from.size(), 0U);
}
// NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)

}  // namespace
}  // namespace connguard::testing
