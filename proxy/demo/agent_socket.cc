// One user's WebSocket at the demo's agent: a receive loop that is blocked while a turn lasts.
#include "demo/agent_socket.h"

#include <boost/asio/buffer.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "demo/answer.h"

namespace connguard::demo {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

constexpr std::chrono::milliseconds kTokenPace{80};
constexpr std::size_t kMaxMessageBytes = 64 * 1024;
constexpr std::size_t kMaxInbox = 32;  // as many as Python's websockets keeps unread
constexpr std::chrono::seconds kHandshakeTimeout{10};
constexpr std::chrono::seconds kIdleTimeout{40};  // pings go out at half of it

}  // namespace

void AgentSocket::Start(beast::tcp_stream stream, const Request& request, AgentMemory& memory,
                        const std::string& user, OpenConnection open) {
  const auto socket =
      std::make_shared<AgentSocket>(std::move(stream), memory, user, std::move(open));
  memory.Enter(user, socket);
  socket->Accept(request);
}

AgentSocket::AgentSocket(beast::tcp_stream stream, AgentMemory& memory, std::string user,
                         OpenConnection open)
    : stream_(std::move(stream)),
      pace_(stream_.get_executor()),
      memory_(memory),
      user_(std::move(user)),
      open_(std::move(open)) {
  // The WebSocket stream has its own timers and wants no other.
  beast::get_lowest_layer(stream_).expires_never();
  stream_.set_option(websocket::stream_base::timeout{kHandshakeTimeout, kIdleTimeout, true});
  stream_.read_message_max(kMaxMessageBytes);
  // A read ends with the peer's FIN only; its Close frame closes the socket already.
  stream_.control_callback([this](websocket::frame_type kind, const auto&) {
    if (kind == websocket::frame_type::close) closed_ = true;
  });
}

void AgentSocket::Accept(const Request& request) {
  stream_.async_accept(request, [self = shared_from_this()](Error error) {
    self->accepted_ = !error;
    if (error) {
      self->closed_ = true;
      return self->Receive();
    }
    self->Read();
  });
}

void AgentSocket::Close(std::uint16_t code) {
  if (closed_) return;
  closed_ = true;
  if (!accepted_) return beast::get_lowest_layer(stream_).close();
  stream_.async_close(websocket::close_reason(code),
                      [self = shared_from_this()](Error) { self->ReleaseTransport(); });
}

void AgentSocket::Read() {
  if (reading_ || inbox_.size() >= kMaxInbox) return;
  reading_ = true;
  stream_.async_read(
      buffer_, [self = shared_from_this()](Error error, std::size_t) { self->OnRead(error); });
}

void AgentSocket::OnRead(Error error) {
  reading_ = false;
  if (error) {
    closed_ = true;
    ReleaseTransport();
  } else {
    if (!finished_)
      inbox_.push_back({stream_.got_text(), beast::buffers_to_string(buffer_.data())});
    buffer_.clear();
    Read();
  }
  Receive();
}

void AgentSocket::Receive() {
  if (in_turn_ || finished_) return;
  if (inbox_.empty()) {
    if (!closed_) return;
    memory_.Disconnect(user_, *this);
    return Finish();
  }
  const Message message = std::move(inbox_.front());
  inbox_.pop_front();
  if (!closed_) Read();
  Handle(message);
}

void AgentSocket::Handle(const Message& message) {
  const auto json = message.text ? nlohmann::json::parse(message.payload, nullptr, false)
                                 : nlohmann::json(nlohmann::json::value_t::discarded);
  if (!json.is_object()) {
    Fail("receive failed: the message is not a JSON object");
    constexpr std::uint16_t kInternalError = 1011;
    return Close(kInternalError);
  }
  in_turn_ = true;
  const auto text = json.find("text");
  if (text == json.end() || !text->is_string()) return Send("error", "'text' is missing", true);
  tokens_ = AnswerTokens(text->get_ref<const std::string&>());
  next_token_ = 0;
  NextToken();
}

void AgentSocket::NextToken() {
  pace_.expires_after(kTokenPace);
  pace_.async_wait([self = shared_from_this()](Error) {
    if (self->next_token_ < self->tokens_.size()) {
      self->Send("chat_token", self->tokens_[self->next_token_++], false);
    } else {
      const auto& tokens = self->tokens_;
      self->Send("chat", std::accumulate(tokens.begin(), tokens.end(), std::string()), true);
    }
  });
}

void AgentSocket::Send(const char* type, const std::string& content, bool final) {
  sending_ = nlohmann::json{{"type", type}, {"content", content}}.dump();
  stream_.text(true);
  stream_.async_write(
      boost::asio::buffer(sending_),
      [self = shared_from_this(), final](Error error, std::size_t) { self->OnSent(error, final); });
}

void AgentSocket::OnSent(Error error, bool final) {
  if (error) return Fail("turn failed: send on a closed socket");
  if (!final) return NextToken();
  in_turn_ = false;
  Receive();
}

// The mistake: the session keeps its socket.
void AgentSocket::Fail(const std::string& reason) {
  memory_.Log(user_, reason);
  Finish();
}

void AgentSocket::Finish() {
  finished_ = true;
  in_turn_ = false;
  inbox_.clear();
  tokens_.clear();
  ReleaseTransport();
}

// A session may keep this object for long; it shall not keep a descriptor or a place.
void AgentSocket::ReleaseTransport() {
  if (!finished_ || !closed_ || reading_) return;
  beast::get_lowest_layer(stream_).close();
  open_.reset();
}

}  // namespace connguard::demo
