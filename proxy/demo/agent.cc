// DemoAgent: the embedded agent backend of `connguard demo`, which breaks as the real ones do.
#include "demo/agent.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "demo/connection.h"
#include "demo/memory.h"

namespace connguard {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr long kMaxConnections = 2'000;
constexpr std::chrono::milliseconds kAcceptPause{100};

[[noreturn]] void FailToListen(const Address& bind, const std::string& reason) {
  const std::string where =
      bind.is_unix() ? "unix:" + bind.path : bind.host + ":" + std::to_string(bind.port);
  throw std::runtime_error("demo agent: cannot listen on " + where + ": " + reason);
}

tcp::acceptor Listen(asio::io_context& io, const Address& bind) {
  if (bind.is_unix()) FailToListen(bind, "an IP address is needed");
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(bind.host, error);
  if (error) FailToListen(bind, "not an IP address");
  try {
    return {io, tcp::endpoint(ip, bind.port)};
  } catch (const boost::system::system_error& failure) {
    FailToListen(bind, failure.code().message());
  }
}

}  // namespace

class DemoAgent::Server {
 public:
  explicit Server(const Address& bind)
      : acceptor_(Listen(io_, bind)),
        retry_(io_),
        port_(acceptor_.local_endpoint().port()),
        open_(std::make_shared<const demo::AgentPort>(demo::AgentPort{port_})) {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Server() {
    io_.stop();
    thread_.join();
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void Accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return AcceptLater();
      // One reference is ours, every other one an open connection's.
      if (open_.use_count() <= kMaxConnections) demo::Serve(std::move(socket), memory_, open_);
      Accept();
    });
  }

  // Out of descriptors, most likely: trying again at once would spin.
  void AcceptLater() {
    retry_.expires_after(kAcceptPause);
    retry_.async_wait([this](boost::system::error_code) { Accept(); });
  }

  asio::io_context io_{1};  // first: everything below uses it until its own end
  demo::AgentMemory memory_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::uint16_t port_;
  demo::OpenConnection open_;
  std::thread thread_;
};

DemoAgent::DemoAgent(const Address& bind) : server_(std::make_unique<Server>(bind)) {}

DemoAgent::~DemoAgent() = default;

std::uint16_t DemoAgent::port() const { return server_->port(); }

}  // namespace connguard
