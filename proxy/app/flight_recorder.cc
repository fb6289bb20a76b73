// A ring of small entries, made into words when somebody asks.
#include "app/flight_recorder.h"

#include <algorithm>
#include <limits>

namespace connguard {

namespace {

// Room for what a tunnel has to tell that opens, says little and is idle.
constexpr std::size_t kQuietLife = 6;

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

FlightRecorder::Entry& FlightRecorder::Add(Kind kind) {
  Entry entry;
  const auto after = std::chrono::duration_cast<Millis>(now_ - begin_).count();
  entry.after = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(after, 0, std::numeric_limits<std::uint32_t>::max()));
  entry.kind = kind;
  if (ring_.size() < kEntries) {
    if (ring_.size() == ring_.capacity()) {
      ring_.reserve(std::clamp(ring_.size() * 2, kQuietLife, kEntries));
    }
    return ring_.emplace_back(entry);
  }
  Entry& oldest = ring_[next_];
  next_ = (next_ + 1) % kEntries;
  oldest = entry;
  return oldest;
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
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const Entry& entry = ring_[(next_ + i) % ring_.size()];
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
