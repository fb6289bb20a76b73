// What the workers tell the admin endpoints of their sessions and fences. Plain values, made on the
// worker's thread, read on the admin's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connguard/types.h"

namespace connguard {

// One line of a session's flight recorder.
struct RecorderEntry {
  Millis ago{0};
  std::string what;  // `state shielded`, `client text 17 fin`
};

// One leg, as an operator sees it.
struct LegInfo {
  std::string_view state;
  std::optional<std::chrono::microseconds> rtt;  // of the last ping that was answered
};

// What becomes of an upstream in mid-turn when an operator ends its session.
enum class OnShield : std::uint8_t {
  kKeep,  // as after any drop
  kEnd,   // it is closed at once
};

// A session that is a tunnel or wants to become one. Words are those of the admin API.
struct SessionInfo {
  std::string id;  // `worker:number`
  std::string route;
  std::string upstream;
  std::string key;  // in the clear; empty: not fenced. The admin endpoints hash it.
  std::uint64_t epoch = 0;
  std::string address;  // the client's
  LegInfo client;
  LegInfo upstream_leg;
  std::string_view state;
  std::uint32_t turns_in_flight = 0;
  Millis age{0};
  Millis state_age{0};
  Millis fence_wait{0};
  Millis shielded{0};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::uint64_t messages_up = 0;
  std::uint64_t messages_down = 0;
  Bytes buffered = 0;
  std::string_view cause;               // empty: nothing has ended yet
  std::string trace_id;                 // empty: none
  std::vector<RecorderEntry> recorder;  // only where it was asked for
};

struct KeyInfo {
  struct Holder {
    std::string session;
    std::uint64_t epoch = 0;
    bool alive = true;
  };
  std::string key;  // in the clear
  std::string upstream;
  std::string_view state;
  std::vector<Holder> holders;
  std::optional<std::string> waiter;  // its session
};

}  // namespace connguard
