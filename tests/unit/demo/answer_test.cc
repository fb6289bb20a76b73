// What the demo's agent says.
#include "demo/answer.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace connguard::demo {
namespace {

std::string Answer(const std::string& message) {
  const auto tokens = AnswerTokens(message);
  return std::accumulate(tokens.begin(), tokens.end(), std::string());
}

TEST(AnswerTest, CountsTheWordsOfTheMessage) {
  EXPECT_TRUE(Answer("").starts_with("You sent 0 words. "));
  EXPECT_TRUE(Answer("  hello ").starts_with("You sent 1 word. "));
  EXPECT_TRUE(Answer("one two\n\tthree").starts_with("You sent 3 words. "));
}

TEST(AnswerTest, IsAboutFourSecondsLongAtEightyMillisecondsAToken) {
  for (std::size_t size = 0; size < 8; ++size) {
    const auto tokens = AnswerTokens(std::string(size, 'x'));
    EXPECT_GE(tokens.size(), 45u) << size;
    EXPECT_LE(tokens.size(), 60u) << size;
  }
}

TEST(AnswerTest, DependsOnTheMessageAlone) {
  EXPECT_EQ(Answer("one"), Answer("one"));
  EXPECT_NE(Answer("one"), Answer("ones"));
}

}  // namespace
}  // namespace connguard::demo
