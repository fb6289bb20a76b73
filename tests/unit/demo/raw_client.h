// A blocking WebSocket client on a bare socket, which can leave as rudely as a test wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connguard::demo {

// One TCP connection to 127.0.0.1. Every read fails the test's expectations (by returning less)
// when nothing comes for 10 s.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Write(std::string_view bytes);

  // Sends the handshake for `path` and returns the answer's status, 0 when there was none.
  int Upgrade(std::string_view path);

  // One request and its answer's status; the body is then in body().
  int Request(std::string_view method, std::string_view path);
  const std::string& body() const { return body_; }
  const std::string& head() const { return head_; }

  void SendFrame(std::uint8_t opcode, std::string_view payload);
  void SendText(std::string_view text) { SendFrame(0x1, text); }

  struct Frame {
    std::uint8_t opcode = 0;
    std::string payload;
  };
  // nullopt: the connection has ended.
  std::optional<Frame> ReadFrame();

  // Reads up to and including the message whose type is chat or error; "" when none came.
  std::vector<std::string> ReadTurn();

  // Reads until the server ends the connection.
  bool ReadToEnd();

  // Ends the connection with a RST.
  void Reset();

 private:
  int ReadHead();
  bool Fill();

  int socket_;
  std::string input_;
  std::string head_;
  std::string body_;
};

}  // namespace connguard::demo
