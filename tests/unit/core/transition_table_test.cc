// A table that is not total must be found by the compiler; here the checker itself is checked.
#include "core/transition_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace connguard {
namespace {

enum class Door : std::uint8_t { kOpen, kShut };
enum class Hand : std::uint8_t { kPush, kPull, kKnock };
enum class Sound : std::uint8_t { kNone, kSlam, kCreak };
using Rules = Transitions<Door::kShut, Hand::kKnock, Sound, 2>;

constexpr auto kDoor = std::to_array<Rules::Row>({
    {Door::kOpen, Hand::kPush, Door::kShut, {Sound::kCreak, Sound::kSlam}},
    {Door::kOpen, Hand::kPull, Door::kOpen, {}},
    {Door::kOpen, Hand::kKnock, Door::kOpen, {}},
    {Door::kShut, Hand::kPush, Door::kShut, {}},
    {Door::kShut, Hand::kPull, Door::kOpen, {Sound::kCreak}},
    {Door::kShut, Hand::kKnock, Door::kShut, {}},
});
static_assert(Rules::Total(kDoor));

constexpr auto With(std::size_t index, const Rules::Row& row) {
  auto table = kDoor;
  table[index] = row;
  return table;
}

constexpr auto WithoutTheLast() {
  std::array<Rules::Row, 5> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = kDoor[i];
  return table;
}

constexpr auto WithOneMore() {
  std::array<Rules::Row, 7> table{};
  for (std::size_t i = 0; i < kDoor.size(); ++i) table[i] = kDoor[i];
  table[6] = kDoor[5];
  return table;
}

TEST(TransitionTableTest, ATableWithAHoleIsNotTotal) {
  static_assert(!Rules::Total(WithoutTheLast()));
}

TEST(TransitionTableTest, ATableWithARowTooManyIsNotTotal) {
  static_assert(!Rules::Total(WithOneMore()));
}

TEST(TransitionTableTest, ADuplicateInPlaceOfAnotherRowIsFound) {
  static_assert(!Rules::Total(With(2, kDoor[1])));
}

TEST(TransitionTableTest, RowsOutOfOrderAreFound) {
  constexpr auto kSwapped = [] {
    auto table = With(0, kDoor[1]);
    table[1] = kDoor[0];
    return table;
  }();
  static_assert(!Rules::Total(kSwapped));
}

TEST(TransitionTableTest, ARowThatLeadsNowhereIsFound) {
  static_assert(!Rules::Total(With(5, {Door::kShut, Hand::kKnock, static_cast<Door>(2), {}})));
}

TEST(TransitionTableTest, AnEventBeyondTheLastIsFound) {
  // Has the index of {Shut, Push}.
  static_assert(!Rules::Total(With(3, {Door::kOpen, static_cast<Hand>(3), Door::kShut, {}})));
}

TEST(TransitionTableTest, ARowIsFoundByItsStateAndEvent) {
  const auto& row = Rules::Find(kDoor, Door::kShut, Hand::kPull);
  EXPECT_EQ(row.next, Door::kOpen);
  EXPECT_EQ(row.actions[0], Sound::kCreak);
  EXPECT_EQ(row.actions[1], Sound::kNone);
}

}  // namespace
}  // namespace connguard
