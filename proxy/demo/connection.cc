// One TCP connection of the demo's agent, until it becomes a WebSocket.
#include "demo/connection.h"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "demo/agent_socket.h"
#include "demo/assets.h"

namespace connguard::demo {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::chrono::seconds kIdleTimeout{30};
constexpr std::uint32_t kMaxHeaderBytes = 16 * 1024;
constexpr std::uint64_t kMaxBodyBytes = 1024;
constexpr std::size_t kMaxUserBytes = 128;

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' ws:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Word for word what Starlette's and uvicorn's users find in their logs.
constexpr std::string_view kStaleSocket =
    "Unexpected ASGI message 'websocket.close', after sending 'websocket.close'";

std::string_view ContentType(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// RFC 3986 §2.1; a '%' without two digits stands for itself.
std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = high ? HexDigit(text[i + 2]) : std::nullopt;
    decoded.push_back(low ? static_cast<char>(*high * 16 + *low) : text[i]);
    if (low) i += 2;
  }
  return decoded;
}

// The user of /ws/{user_id}.
std::optional<std::string> UserOf(std::string_view path) {
  constexpr std::string_view kPrefix = "/ws/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  std::string user = PercentDecode(path);
  if (user.size() > kMaxUserBytes) return std::nullopt;
  return user;
}

std::string LogJson(const AgentMemory& memory) {
  auto lines = nlohmann::json::array();
  for (const LogLine& line : memory.log()) {
    lines.push_back({{"user", line.user}, {"event", line.event}});
  }
  // A user's id may be any bytes.
  return lines.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, AgentMemory& memory, OpenConnection open)
      : stream_(std::move(socket)), memory_(memory), open_(std::move(open)) {}

  void Read();

 private:
  void OnRead(beast::error_code error);
  void Upgrade(const std::string& user);
  void Answer();
  bool AnswerAgentPath(std::string_view path);
  void Reply(http::status status, std::string_view type, std::string_view body);
  void OnWritten(beast::error_code error);

  beast::tcp_stream stream_;
  AgentMemory& memory_;
  OpenConnection open_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

void Connection::Read() {
  parser_.emplace();
  parser_->header_limit(kMaxHeaderBytes);
  parser_->body_limit(kMaxBodyBytes);
  stream_.expires_after(kIdleTimeout);
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->OnRead(error); });
}

void Connection::OnRead(beast::error_code error) {
  if (error) return;
  const auto target = parser_->get().target();
  const std::string_view text(target.data(), target.size());
  const auto user = UserOf(text.substr(0, text.find('?')));
  if (user && beast::websocket::is_upgrade(parser_->get())) return Upgrade(*user);
  Answer();
}

void Connection::Upgrade(const std::string& user) {
  switch (memory_.Admit(user)) {
    case AgentMemory::Admission::kGranted:
      return AgentSocket::Start(std::move(stream_), parser_->release(), memory_, user,
                                std::move(open_));
    case AgentMemory::Admission::kStale:
      memory_.Log(user, "connect failed: HTTP 500: " + std::string(kStaleSocket));
      return Reply(http::status::internal_server_error, "text/plain", kStaleSocket);
    case AgentMemory::Admission::kFull:
      return Reply(http::status::service_unavailable, "text/plain", "too many sessions");
  }
}

void Connection::Answer() {
  const Request& request = parser_->get();
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/reset" && request.method() == http::verb::post) {
    memory_.Restart();
    return Reply(http::status::no_content, "", "");
  }
  const bool reading = request.method() == http::verb::get || request.method() == http::verb::head;
  if (reading && AnswerAgentPath(path)) return;
  if (reading && path.starts_with('/')) {
    const std::string_view name = path == "/" ? "index.html" : path.substr(1);
    if (const auto asset = FindAsset(name)) {
      return Reply(http::status::ok, ContentType(name), *asset);
    }
  }
  Reply(http::status::not_found, "text/plain", "not found");
}

bool Connection::AnswerAgentPath(std::string_view path) {
  if (path == "/healthz") {
    Reply(http::status::ok, "text/plain", "ok");
  } else if (path == "/demo.json") {
    const nlohmann::json about = {{"agent_port", open_->number}};
    Reply(http::status::ok, "application/json", about.dump());
  } else if (path == "/log") {
    Reply(http::status::ok, "application/json", LogJson(memory_));
  } else {
    return false;
  }
  return true;
}

void Connection::Reply(http::status status, std::string_view type, std::string_view body) {
  const Request& request = parser_->get();
  response_ = Response(status, request.version());
  response_.keep_alive(request.keep_alive() && !beast::websocket::is_upgrade(request));
  if (!type.empty()) response_.set(http::field::content_type, std::string(type));
  response_.set(http::field::cache_control, "no-store");
  response_.set("Content-Security-Policy", std::string(kPolicy));
  response_.set("X-Content-Type-Options", "nosniff");
  response_.set("Referrer-Policy", "no-referrer");
  if (status == http::status::no_content) {
    response_.body().clear();
  } else {
    response_.body() = body;
    response_.prepare_payload();
  }
  serializer_.emplace(response_);
  // RFC 9110 §9.3.2: the head as for GET, Content-Length included, and no body.
  serializer_->split(request.method() == http::verb::head);
  const auto written = [self = shared_from_this()](beast::error_code error, std::size_t) {
    self->OnWritten(error);
  };
  if (request.method() == http::verb::head) {
    http::async_write_header(stream_, *serializer_, written);
  } else {
    http::async_write(stream_, *serializer_, written);
  }
}

void Connection::OnWritten(beast::error_code error) {
  if (error) return;
  if (response_.keep_alive()) return Read();
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
}

}  // namespace

void Serve(boost::asio::ip::tcp::socket socket, AgentMemory& memory, OpenConnection open) {
  std::make_shared<Connection>(std::move(socket), memory, std::move(open))->Read();
}

}  // namespace connguard::demo
