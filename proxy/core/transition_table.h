// Transition tables as data that the compiler proves total.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>

namespace connguard {

// The tables of one machine. States, events and actions are scoped enums that count from 0; action
// 0 stands for none. A table names every state with every event exactly once, ordered by state and
// then by event, so that finding a row is an index.
template <auto kLastState, auto kLastEvent, typename Action, std::size_t kActions>
struct Transitions {
  using State = decltype(kLastState);
  using Event = decltype(kLastEvent);

  static constexpr std::size_t kEvents = static_cast<std::size_t>(kLastEvent) + 1;
  static constexpr std::size_t kRows = (static_cast<std::size_t>(kLastState) + 1) * kEvents;

  struct Row {
    State state;
    Event event;
    State next;
    std::array<Action, kActions> actions{};  // run left to right, up to the first none
  };

  static constexpr std::size_t Index(State state, Event event) {
    return static_cast<std::size_t>(state) * kEvents + static_cast<std::size_t>(event);
  }

  // False when a pair is missing, doubled or out of order, or when a row leads to an unknown state.
  template <std::size_t N>
  static constexpr bool Total(const std::array<Row, N>& table) {
    if (N != kRows) return false;
    for (std::size_t i = 0; i < N; ++i) {
      const Row& row = table[i];
      if (row.event > kLastEvent || Index(row.state, row.event) != i) return false;
      if (row.next > kLastState) return false;
    }
    return true;
  }

  static constexpr const Row& Find(const std::array<Row, kRows>& table, State state, Event event) {
    const Row& row = table[Index(state, event)];
    assert(row.state == state && row.event == event);
    return row;
  }
};

}  // namespace connguard
