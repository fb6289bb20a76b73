// The log as a whole: where lines go, and that a reader who does not read holds nobody up.
#include "log/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace connguard {
namespace {

// A pipe whose reading end is read only when asked.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writer() const { return ends_[1]; }
  void CloseReader() { Close(ends_[0]); }
  void CloseWriter() { Close(ends_[1]); }

  // Everything until the writer's end is closed.
  std::string ReadAll() {
    std::string all;
    std::array<char, 65536> chunk;
    ssize_t got = 0;
    while ((got = read(ends_[0], chunk.data(), chunk.size())) > 0) {
      all.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  static void Close(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

std::vector<nlohmann::json> Lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    EXPECT_NE(end, std::string::npos) << "the last line is cut";
    lines.push_back(nlohmann::json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { StopLogging(); }

  std::vector<nlohmann::json> StopAndRead() {
    std::string text;
    std::thread reader([this, &text] { text = pipe_.ReadAll(); });
    StopLogging();
    pipe_.CloseWriter();
    reader.join();
    return Lines(text);
  }

  Pipe pipe_;
};

TEST_F(LogTest, LinesComeOutInOrderAndCompleteAtStop) {
  StartLogging({}, pipe_.writer());
  for (int i = 0; i < 500; ++i) Log(LogLevel::kInfo, "numbered", {{"number", i}});
  const auto lines = StopAndRead();
  ASSERT_EQ(lines.size(), 500U);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i]["number"], i);
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  StartLogging({.level = LogLevel::kWarn}, pipe_.writer());
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kWarn));
  Log(LogLevel::kInfo, "quiet");
  Log(LogLevel::kError, "loud");
  const auto lines = StopAndRead();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["event"], "loud");
}

TEST_F(LogTest, OffWritesNothing) {
  StartLogging({.level = LogLevel::kOff}, pipe_.writer());
  Log(LogLevel::kError, "loud");
  Log(LogLevel::kOff, "no level of a line");
  EXPECT_EQ(StopAndRead().size(), 0U);
}

TEST_F(LogTest, AReaderWhoDoesNotReadHoldsNobodyUpAndEveryLineIsAccountedFor) {
  constexpr std::uint64_t kLines = 20'000;
  const std::uint64_t before = LogLinesDropped();
  StartLogging({}, pipe_.writer());
  for (std::uint64_t i = 0; i < kLines; ++i) Log(LogLevel::kInfo, "flood", {{"number", i}});
  // All were taken although the pipe holds 64 KiB; the queue holds 8192; the rest is counted.
  const std::uint64_t dropped = LogLinesDropped() - before;
  EXPECT_GE(dropped, kLines - 8192 - 65536 / 80);
  const auto lines = StopAndRead();
  EXPECT_EQ(LogLinesDropped() - before, dropped);
  EXPECT_EQ(lines.size() + dropped, kLines);
  EXPECT_EQ(lines.back()["number"], kLines - 1) << "the newest are kept";
}

TEST_F(LogTest, StopEndsAlthoughNobodyReads) {
  constexpr std::uint64_t kLines = 8'000;
  const std::uint64_t before = LogLinesDropped();
  StartLogging({}, pipe_.writer());
  for (std::uint64_t i = 0; i < kLines; ++i) Log(LogLevel::kInfo, "flood", {{"number", i}});
  const auto start = std::chrono::steady_clock::now();
  StopLogging();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  pipe_.CloseWriter();
  const auto lines = Lines(pipe_.ReadAll());
  EXPECT_GT(lines.size(), 100U);
  EXPECT_EQ(lines.size() + (LogLinesDropped() - before), kLines);
}

TEST_F(LogTest, AReaderWhoIsGoneCostsLinesAndNotTheProcess) {
  const std::uint64_t before = LogLinesDropped();
  StartLogging({}, pipe_.writer());
  pipe_.CloseReader();
  for (int i = 0; i < 10; ++i) Log(LogLevel::kInfo, "unheard");
  StopLogging();
  EXPECT_EQ(LogLinesDropped() - before, 10U);
}

TEST_F(LogTest, ADescriptorThatDoesNotBlockLosesNothing) {
  ASSERT_EQ(fcntl(pipe_.writer(), F_SETFL, O_NONBLOCK), 0);
  StartLogging({}, pipe_.writer());
  for (int i = 0; i < 5'000; ++i) Log(LogLevel::kInfo, "numbered", {{"number", i}});
  EXPECT_EQ(StopAndRead().size(), 5'000U);
}

TEST_F(LogTest, ALineLongerThanAPipeTakesAtOnceComesWhole) {
  const std::string text(200'000, 'x');
  StartLogging({}, pipe_.writer());
  Log(LogLevel::kInfo, "long", {{"text", text}});
  const auto lines = StopAndRead();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["text"], text);
}

TEST_F(LogTest, LinesOfManyThreadsAreNeverMixedAndStopMayComeInBetween) {
  StartLogging({}, pipe_.writer());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) Log(LogLevel::kInfo, "numbered", {{"id", t * 500 + i}});
    });
  }
  std::string text;
  std::thread reader([this, &text] { text = pipe_.ReadAll(); });
  StopLogging();  // what comes later is written at once, to the same descriptor
  threads.clear();
  pipe_.CloseWriter();
  reader.join();
  std::set<int> ids;
  for (const auto& line : Lines(text)) ids.insert(line["id"].get<int>());
  EXPECT_EQ(ids.size(), 2'000U);
}

TEST_F(LogTest, AKeyIsShownAsTheStartOfItsSha256) {
  EXPECT_EQ(KeyHash("user"), "04f8996da7");  // printf %s user | sha256sum | cut -c1-10
  EXPECT_EQ(KeyHash(""), "e3b0c44298");
  EXPECT_NE(KeyHash("user"), KeyHash("User"));
}

}  // namespace
}  // namespace connguard
