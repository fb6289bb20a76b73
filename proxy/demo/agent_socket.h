// One user's WebSocket at the demo's agent: a receive loop that is blocked while a turn lasts.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "demo/connection.h"
#include "demo/memory.h"

namespace connguard::demo {

// AgentSocket has two halves, as such backends do: the transport reads frames, answers pings and
// closes and fills a short inbox; the application takes one message from it, answers it to the end,
// takes the next. So the application hears of a disconnect only between turns – and in mid-turn by
// a send that fails, which ends it without releasing its session.
//
// Runs on the stream's executor, which has one thread.
class AgentSocket : public SessionSocket, public std::enable_shared_from_this<AgentSocket> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  // Enters `user`'s session and answers the handshake `request`. `memory` outlives the socket.
  static void Start(boost::beast::tcp_stream stream, const Request& request, AgentMemory& memory,
                    const std::string& user, OpenConnection open);

  AgentSocket(boost::beast::tcp_stream stream, AgentMemory& memory, std::string user,
              OpenConnection open);

  bool closed() const override { return closed_; }
  void Close(std::uint16_t code) override;

 private:
  using Error = boost::beast::error_code;

  struct Message {
    bool text = false;
    std::string payload;
  };

  void Accept(const Request& request);
  void Read();
  void OnRead(Error error);
  void Receive();
  void Handle(const Message& message);
  void NextToken();
  void Send(const char* type, const std::string& content, bool final);
  void OnSent(Error error, bool final);
  void Fail(const std::string& reason);
  void Finish();
  void ReleaseTransport();

  boost::beast::websocket::stream<boost::beast::tcp_stream> stream_;
  boost::asio::steady_timer pace_;
  AgentMemory& memory_;
  std::string user_;
  OpenConnection open_;

  bool accepted_ = false;
  bool reading_ = false;
  bool closed_ = false;    // as the transport knows it
  bool in_turn_ = false;   // the application is busy
  bool finished_ = false;  // the application has returned or failed

  boost::beast::flat_buffer buffer_;
  std::deque<Message> inbox_;
  std::vector<std::string> tokens_;
  std::size_t next_token_ = 0;
  std::string sending_;
};

}  // namespace connguard::demo
