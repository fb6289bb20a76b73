// A ring of small entries, made into words when somebody asks.
#include "app/flight_recorder.h"

#include <algorithm>
#include <array>
#include <limits>

namespace connguard {

namespace {

// Rooms for what a tunnel has to tell that has just opened, that is idle after a message, that is
// short, and for all. Each idle tunnel has the second.
constexpr std::array<std::size_t, 4> kRooms{3, 6, 16, FlightRecorder::kEntries};

std::string_view WordOf(Opcode opcode) {
  switch (opcode) {
    case Opcode::kContinuation:
      return "continuation";
    case Opcode::kText:
      return "text";
    case Opcode::kBinary:
      return "binary";
    case Opcode::kClose:
      return "close";
    case Opcode::kPing:
      return "ping";
    case Opcode::kPong:
      return "pong";
  }
  return "frame";
}

}  // namespace

void FlightRecorder::At(TimePoint now) {
  const auto after = std::chrono::duration_cast<Millis>(now - begin_).count();
  now_ = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(after, 0, std::numeric_limits<std::uint32_t>::max()));
}

FlightRecorder::Entry& FlightRecorder::Add(Kind kind) {
  if (size_ == room_ && size_ < kEntries) Grow();
  Entry& entry = ring_[size_ < kEntries ? size_++ : next_++ % kEntries];
  entry = {};
  entry.after = now_;
  entry.kind = kind;
  return entry;
}

void FlightRecorder::Grow() {
  const std::size_t room = *std::ranges::upper_bound(kRooms, std::size_t{room_});
  auto larger = std::make_unique<Entry[]>(room);
  std::copy_n(ring_.get(), size_, larger.get());
  ring_ = std::move(larger);
  room_ = static_cast<std::uint8_t>(room);
}

void FlightRecorder::CloseFrom(Side side, CloseCode code) {
  Add(side == Side::kClient ? Kind::kCloseFromClient : Kind::kCloseFromUpstream).size =
      static_cast<std::uint64_t>(code);
}

void FlightRecorder::CloseTo(Side side, CloseCode code) {
  Add(side == Side::kClient ? Kind::kCloseToClient : Kind::kCloseToUpstream).size =
      static_cast<std::uint64_t>(code);
}

std::string FlightRecorder::Describe(const Entry& entry) {
  const auto frame = [&entry](std::string_view from) {
    std::string text(from);
    text.append(" ").append(WordOf(entry.opcode)).append(" ").append(std::to_string(entry.size));
    return entry.fin ? text + " fin" : text;
  };
  const auto close = [&entry](std::string_view from) {
    return std::string(from) + " close" +
           (entry.size == static_cast<std::uint64_t>(CloseCode::kNone)
                ? std::string()
                : " " + std::to_string(entry.size));
  };
  switch (entry.kind) {
    case Kind::kState:
      return std::string("state ") + entry.word;
    case Kind::kNote:
      return entry.word;
    case Kind::kFromClient:
      return frame("client");
    case Kind::kFromUpstream:
      return frame("upstream");
    case Kind::kCloseFromClient:
      return close("client");
    case Kind::kCloseFromUpstream:
      return close("upstream");
    case Kind::kCloseToClient:
      return close("to client");
    case Kind::kCloseToUpstream:
      return close("to upstream");
  }
  return {};
}

std::vector<RecorderEntry> FlightRecorder::Entries(TimePoint now) const {
  std::vector<RecorderEntry> entries;
  for (std::size_t i = 0; i < size_; ++i) {
    const Entry& entry = ring_[(next_ + i) % size_];
    const auto ago = std::chrono::duration_cast<Millis>(now - begin_) - Millis{entry.after};
    entries.push_back({std::max(ago, Millis{0}), Describe(entry)});
  }
  return entries;
}

std::string FlightRecorder::ToLine(TimePoint now) const {
  std::string line;
  for (const RecorderEntry& entry : Entries(now)) {
    if (!line.empty()) line += "; ";
    line += "-" + std::to_string(entry.ago.count()) + " " + entry.what;
  }
  return line;
}

}  // namespace connguard
