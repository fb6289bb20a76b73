// RunHealth against a real listening socket.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/commands.h"

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// Listens, and answers one connection with `pieces`, each in a segment of its own when the peer has
// read the one before; then closes. With no pieces it stays silent until the peer leaves.
class OneShotServer {
 public:
  OneShotServer(int family, std::vector<std::string> pieces, const std::string& path = {})
      : listener_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)), pieces_(std::move(pieces)) {
    if (family == AF_UNIX) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      path.copy(name.sun_path, sizeof name.sun_path - 1);
      EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
      address_.path = path;
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof name;
      EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&name), size), 0);
      EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size), 0);
      address_ = {.host = "127.0.0.1", .port = ntohs(name.sin_port), .path = {}};
    }
    EXPECT_EQ(listen(listener_, 1), 0);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneShotServer() {
    shutdown(listener_, SHUT_RDWR);  // wakes an accept that nobody came for
    thread_.join();
    close(listener_);
  }

  const Address& address() const { return address_; }
  // What the client sent. Only after the client is done.
  std::string Request() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    thread_ = std::thread([] {});
    return request_;
  }

 private:
  void Serve() {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    char block[1024];
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = recv(client, block, sizeof block, 0);
      if (got <= 0) break;
      request_.append(block, static_cast<std::size_t>(got));
    }
    for (const std::string& piece : pieces_) send(client, piece.data(), piece.size(), MSG_NOSIGNAL);
    if (pieces_.empty()) recv(client, block, sizeof block, 0);
    close(client);
  }

  int listener_;
  std::vector<std::string> pieces_;
  Address address_;
  std::string request_;
  std::thread thread_;
};

struct Health {
  ExitStatus status = ExitStatus::kOk;
  std::string out;
  std::string err;
};

Health Ask(const Address& admin, Millis timeout = kHealthTimeout) {
  std::ostringstream out;
  std::ostringstream err;
  const ExitStatus status = RunHealth(admin, timeout, out, err);
  return {status, out.str(), err.str()};
}

TEST(HealthTest, TwoHundredIsReady) {
  OneShotServer server(AF_INET, {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"});
  const Health health = Ask(server.address());
  EXPECT_EQ(health.status, ExitStatus::kOk) << health.err;
  EXPECT_EQ(health.out, "ready\n");
  EXPECT_EQ(server.Request(), "GET /readyz HTTP/1.1\r\nHost: " + server.address().ToString() +
                                  "\r\nConnection: close\r\n\r\n");
}

TEST(HealthTest, AStatusLineInPiecesIsPutTogether) {
  OneShotServer server(AF_INET, {"HTTP", "/1.1 2", "00 OK\r", "\n\r\n"});
  EXPECT_EQ(Ask(server.address()).status, ExitStatus::kOk);
}

TEST(HealthTest, AUnixSocketIsAskedToo) {
  std::string dir = (std::filesystem::temp_directory_path() / "connguard-XXXXXX").string();
  ASSERT_NE(mkdtemp(dir.data()), nullptr);
  {
    OneShotServer server(AF_UNIX, {"HTTP/1.1 200 OK\r\n\r\n"}, dir + "/admin.sock");
    const Health health = Ask(server.address());
    EXPECT_EQ(health.status, ExitStatus::kOk) << health.err;
  }
  std::filesystem::remove_all(dir);
}

TEST(HealthTest, AHostNameIsLookedUp) {
  OneShotServer server(AF_INET, {"HTTP/1.1 200 OK\r\n\r\n"});
  Address address = server.address();
  address.host = "localhost";
  EXPECT_EQ(Ask(address).status, ExitStatus::kOk);
}

TEST(HealthTest, AnotherStatusIsNotReady) {
  OneShotServer server(AF_INET, {"HTTP/1.1 503 Service Unavailable\r\n\r\n"});
  const Health health = Ask(server.address());
  EXPECT_EQ(health.status, ExitStatus::kRuntime);
  EXPECT_EQ(health.out, "");
  EXPECT_EQ(health.err,
            "not ready: " + server.address().ToString() + ": HTTP/1.1 503 Service Unavailable\n");
}

TEST(HealthTest, WhatOnlyBeginsLikeTwoHundredIsNotReady) {
  OneShotServer server(AF_INET, {"HTTP/1.1 2000\r\n\r\n"});
  EXPECT_EQ(Ask(server.address()).status, ExitStatus::kRuntime);
}

TEST(HealthTest, ANonsenseAnswerIsNotReady) {
  OneShotServer closes(AF_INET, {"nonsense"});
  EXPECT_EQ(Ask(closes.address()).err,
            "not ready: " + closes.address().ToString() + ": the answer is not HTTP\n");
  OneShotServer babbles(AF_INET, {std::string(100'000, 'x')});
  EXPECT_EQ(Ask(babbles.address()).status, ExitStatus::kRuntime);
}

TEST(HealthTest, NobodyThereIsNotReady) {
  Address address;
  {
    const OneShotServer server(AF_INET, {});
    address = server.address();
  }
  EXPECT_EQ(Ask(address).err, "not ready: " + address.ToString() + ": Connection refused\n");
  address = {.host = {}, .port = 0, .path = "/nonexistent/x.sock"};
  EXPECT_EQ(Ask(address).err, "not ready: unix:/nonexistent/x.sock: No such file or directory\n");
}

TEST(HealthTest, SilenceIsNotReadyWhenTheTimeIsUp) {
  const OneShotServer server(AF_INET, {});
  const auto start = std::chrono::steady_clock::now();
  const Health health = Ask(server.address(), 100ms);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(health.err, "not ready: " + server.address().ToString() + ": Connection timed out\n");
  EXPECT_GE(took, 100ms);
  EXPECT_LT(took, 2s);
}

}  // namespace
}  // namespace connguard
