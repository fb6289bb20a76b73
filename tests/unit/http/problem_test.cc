// ProblemResponse: a sound message of our own, whatever the detail.
#include <nlohmann/json.hpp>

#include "heads.h"

namespace connguard {
namespace {

struct Answer {
  ResponseReader reader{testing::kHeaderSize};
  nlohmann::json body{};

  const ResponseHead& head() const { return reader.head(); }
};

Answer Read(const std::string& text) {
  Answer answer;
  EXPECT_TRUE(testing::ReadAll(answer.reader, text, text.size()).done);
  answer.body = nlohmann::json::parse(text.substr(text.find("\r\n\r\n") + 4));
  return answer;
}

TEST(ProblemResponseTest, SaysWhatIsWrong) {
  const Answer answer = Read(ProblemResponse(409, "a newer client took over", "f00d"));
  EXPECT_EQ(answer.head().status, 409);
  EXPECT_EQ(answer.head().reason, "Conflict");
  EXPECT_EQ(Find(answer.head().fields, "Content-Type"), "application/problem+json");
  EXPECT_EQ(Find(answer.head().fields, "Connection"), "close");
  EXPECT_EQ(Find(answer.head().fields, "Retry-After"), std::nullopt);
  EXPECT_EQ(answer.body, (nlohmann::json{{"type", "about:blank"},
                                         {"title", "Conflict"},
                                         {"status", 409},
                                         {"detail", "a newer client took over"},
                                         {"request_id", "f00d"}}));
  EXPECT_EQ(Find(answer.head().fields, "X-Request-Id"), "f00d");
}

TEST(ProblemResponseTest, RetryAfterIsInSeconds) {
  EXPECT_EQ(Find(Read(ProblemResponse(503, "busy", "1", 7)).head().fields, "Retry-After"), "7");
}

TEST(ProblemResponseTest, DetailIsEscaped) {
  EXPECT_EQ(Read(ProblemResponse(400, "a \"b\"\r\n\x01\\", "1")).body["detail"],
            "a \"b\"\r\n\x01\\");
}

TEST(ProblemResponseTest, DetailThatIsNotUtf8IsReplaced) {
  EXPECT_EQ(Read(ProblemResponse(400, "a\xFF", "1")).body["detail"], "a\xEF\xBF\xBD");
}

TEST(ProblemResponseTest, UpgradeRequiredNamesProtocolAndVersion) {
  const Answer answer = Read(ProblemResponse(426, "version", "1"));
  const ResponseHead& head = answer.head();
  EXPECT_EQ(Find(head.fields, "Upgrade"), "websocket");
  EXPECT_EQ(Find(head.fields, "Sec-WebSocket-Version"), "13");
  EXPECT_TRUE(HasToken(head.fields, "Connection", "upgrade"));
  EXPECT_TRUE(HasToken(head.fields, "Connection", "close"));
}

}  // namespace
}  // namespace connguard
