// FlightRecorder: the last things that happened to a session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/metrics.h"
#include "admin/session_info.h"
#include "connguard/types.h"
#include "ws/control_frame.h"

namespace connguard {

// Keeps the last 64 entries: changes of state, frame headers, words about the legs; never payload.
// 16 bytes each, and room only for as many as there are. Owned by one session; not thread-safe.
class FlightRecorder {
 public:
  static constexpr std::size_t kEntries = 64;

  explicit FlightRecorder(TimePoint begin) : begin_(begin) {}

  // When the next entries happen. Once for each read, so that an entry asks no clock.
  void At(TimePoint now);

  // `word`: a literal, as in SessionInfo::state.
  void State(const char* word) { Add(Kind::kState).word = word; }
  // `word`: a literal: what happened to a leg.
  void Note(const char* word) { Add(Kind::kNote).word = word; }
  // A frame's header, from this side.
  void Frame(Side from, Opcode opcode, bool fin, std::uint64_t size) {
    Entry& entry = Add(from == Side::kClient ? Kind::kFromClient : Kind::kFromUpstream);
    entry.opcode = opcode;
    entry.fin = fin;
    entry.size = size;
  }
  // A Close frame, with its code; `kNone`: without one.
  void CloseFrom(Side side, CloseCode code);
  void CloseTo(Side side, CloseCode code);

  // Oldest first; how long ago each was at `now`.
  std::vector<RecorderEntry> Entries(TimePoint now) const;
  // Likewise, in one line: `-1203 state open; -1180 client text 17 fin; …`.
  std::string ToLine(TimePoint now) const;

 private:
  enum class Kind : std::uint8_t {
    kState,
    kNote,
    kFromClient,
    kFromUpstream,
    kCloseFromClient,
    kCloseFromUpstream,
    kCloseToClient,
    kCloseToUpstream,
  };
  struct Entry {
    std::uint32_t after = 0;  // as now_
    Kind kind = Kind::kState;
    Opcode opcode = Opcode::kText;
    bool fin = false;
    union {
      std::uint64_t size = 0;
      const char* word;
    };
  };

  Entry& Add(Kind kind);
  static std::string Describe(const Entry& entry);

  void Grow();

  TimePoint begin_;
  std::unique_ptr<Entry[]> ring_;  // no vector: there is one of these for each session
  std::uint32_t now_ = 0;          // milliseconds since the begin; 49 days at most
  std::uint8_t size_ = 0;
  std::uint8_t room_ = 0;
  std::uint8_t next_ = 0;  // where the next entry goes, once the ring is full; wraps
  static_assert(256 % kEntries == 0);
};

}  // namespace connguard
