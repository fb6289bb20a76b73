// The flight recorder: the last entries, in order, in words.
#include "app/flight_recorder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;

const TimePoint kBegin = TimePoint() + std::chrono::hours(1);

std::vector<std::string> Words(const FlightRecorder& recorder) {
  std::vector<std::string> words;
  for (const RecorderEntry& entry : recorder.Entries(kBegin)) words.push_back(entry.what);
  return words;
}

TEST(FlightRecorderTest, SaysWhatHappenedInOrder) {
  FlightRecorder recorder(kBegin);
  recorder.State("open");
  recorder.Frame(Side::kClient, Opcode::kText, false, 17);
  recorder.Frame(Side::kClient, Opcode::kContinuation, true, 3);
  recorder.Frame(Side::kUpstream, Opcode::kBinary, true, 70'000'000'000);
  recorder.Frame(Side::kUpstream, Opcode::kPing, true, 0);
  recorder.CloseFrom(Side::kClient, CloseCode::kGoingAway);
  recorder.CloseFrom(Side::kUpstream, CloseCode::kNone);
  recorder.CloseTo(Side::kClient, CloseCode{4409});
  recorder.CloseTo(Side::kUpstream, CloseCode::kNormal);
  recorder.Note("client gone");
  EXPECT_EQ(Words(recorder),
            (std::vector<std::string>{"state open", "client text 17", "client continuation 3 fin",
                                      "upstream binary 70000000000 fin", "upstream ping 0 fin",
                                      "client close 1001", "upstream close", "to client close 4409",
                                      "to upstream close 1000", "client gone"}));
}

TEST(FlightRecorderTest, KeepsTheLastOnes) {
  FlightRecorder recorder(kBegin);
  for (std::uint64_t i = 0; i < FlightRecorder::kEntries + 10; ++i) {
    recorder.Frame(Side::kClient, Opcode::kText, true, i);
  }
  const std::vector<std::string> words = Words(recorder);
  ASSERT_EQ(words.size(), FlightRecorder::kEntries);
  EXPECT_EQ(words.front(), "client text 10 fin");
  EXPECT_EQ(words.back(), "client text 73 fin");
}

TEST(FlightRecorderTest, KnowsHowLongAgo) {
  FlightRecorder recorder(kBegin);
  recorder.State("waiting");
  recorder.At(kBegin + 1203ms);
  recorder.State("open");
  recorder.At(kBegin + 2000ms);
  recorder.Note("client gone");
  EXPECT_EQ(recorder.ToLine(kBegin + 2500ms),
            "-2500 state waiting; -1297 state open; -500 client gone");
}

TEST(FlightRecorderTest, AFarFutureIsNotMistakenForThePast) {
  FlightRecorder recorder(kBegin);
  recorder.At(kBegin + std::chrono::days(60));
  recorder.State("open");
  EXPECT_EQ(recorder.Entries(kBegin + std::chrono::days(60)).front().ago,
            std::chrono::days(60) - Millis{0xFFFFFFFF});
}

}  // namespace
}  // namespace connguard
