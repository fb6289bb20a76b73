// libwebsockets' own words in our log.
#include "admin/lws_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <libwebsockets.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "log/log.h"

namespace connguard {
namespace {

TEST(LwsLogTest, WarningsAndErrorsAreLinesOfOurLogWithoutLwsTimeAndTheRestIsNotMade) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  RouteLwsLog();
  StartLogging({}, ends[1]);
  lwsl_err("first: %d\n", 1);
  lwsl_notice("not shown\n");
  lwsl_warn("second\n");
  StopLogging();
  close(ends[1]);
  std::array<char, 4096> text{};
  const ssize_t size = read(ends[0], text.data(), text.size());
  close(ends[0]);
  ASSERT_GT(size, 0);
  const std::string lines(text.data(), static_cast<std::size_t>(size));
  const auto middle = lines.find('\n') + 1;
  const auto first = nlohmann::json::parse(lines.substr(0, middle));
  const auto second = nlohmann::json::parse(lines.substr(middle));
  EXPECT_EQ(first["level"], "error");
  EXPECT_EQ(first["event"], "lws");
  EXPECT_TRUE(first["text"].get<std::string>().ends_with("first: 1")) << first;
  EXPECT_FALSE(first["text"].get<std::string>().starts_with("[")) << first;
  EXPECT_EQ(second["level"], "warn");
}

}  // namespace
}  // namespace connguard
