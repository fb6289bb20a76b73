// Requests and heads of answers, as text.
#include "support/test_client.h"

#include <gtest/gtest.h>
#include <strings.h>

#include <stdexcept>

namespace connguard::testing {

std::string Answer::Value(std::string_view name) const {
  std::size_t line = head.find("\r\n");
  while (line != std::string::npos && line + 2 < head.size()) {
    const std::size_t begin = line + 2;
    const std::size_t colon = head.find(':', begin);
    const std::size_t end = head.find("\r\n", begin);
    if (colon == std::string::npos || end == std::string::npos) break;
    if (colon - begin == name.size() &&
        strncasecmp(head.data() + begin, name.data(), name.size()) == 0) {
      const std::size_t value = head.find_first_not_of(' ', colon + 1);
      return head.substr(value, end - value);
    }
    line = end;
  }
  return {};
}

std::string TestClient::Handshake(std::string_view target, std::string_view fields) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: guard.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         std::string(kSampleKey) + "\r\n" + std::string(fields) + "\r\n";
}

Answer TestClient::ReadAnswer() {
  Answer answer;
  answer.head = ReadThrough("\r\n\r\n");
  if (!answer.head.starts_with("HTTP/1.1 ")) {
    throw std::runtime_error("not an answer: " + answer.head);
  }
  answer.status = std::stoi(answer.head.substr(9));
  return answer;
}

Answer TestClient::ExpectStatus(int status) {
  Answer answer = ReadAnswer();
  EXPECT_EQ(answer.status, status) << answer.head;
  return answer;
}

}  // namespace connguard::testing
