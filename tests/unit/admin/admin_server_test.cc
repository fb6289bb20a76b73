// The admin endpoints over real sockets.
#include "admin/admin_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "http_client.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

Address Tcp(const std::string& host, std::uint16_t port = 0) { return {host, port, ""}; }
Address Loopback(std::uint16_t port = 0) { return Tcp("127.0.0.1", port); }
Address Unix(const std::string& path) { return {"", 0, path}; }

std::ptrdiff_t OpenDescriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return std::distance(begin(entries), end(entries));
}

class AdminServerTest : public testing::Test {
 protected:
  std::unique_ptr<AdminServer> Start(const Address& address) {
    return std::make_unique<AdminServer>(
        AdminConfig{.bind = address},
        AdminServer::Sources{.metrics = [this] { return page_; },
                             .not_ready_reason = [this]() -> std::optional<std::string> {
                               if (ready_.load()) return std::nullopt;
                               return "draining";
                             }});
  }

  std::string page_ = "a_total 1\n";
  std::atomic<bool> ready_{true};
};

TEST_F(AdminServerTest, EndpointsAnswerWithStatusTypeAndLength) {
  const auto server = Start(Loopback());
  ASSERT_NE(server->port(), 0);
  const auto live = HttpClient::Tcp(server->port()).Ask("GET", "/livez");
  ASSERT_TRUE(live);
  EXPECT_TRUE(live->head.starts_with("HTTP/1.1 200 OK\r\n")) << live->head;
  EXPECT_EQ(live->body, "{\"status\":\"live\"}\n");
  EXPECT_EQ(live->Value("content-type"), "application/json");
  EXPECT_EQ(live->Value("cache-control"), "no-store");
  const auto metrics = HttpClient::Tcp(server->port()).Ask("GET", "/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->body, page_);
  EXPECT_EQ(metrics->Value("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(HttpClient::Tcp(server->port()).Ask("GET", "/healthz")->status, 200);
}

TEST_F(AdminServerTest, ReadinessFlips) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  EXPECT_EQ(client.Ask("GET", "/readyz")->status, 200);
  ready_ = false;
  const auto reply = client.Ask("GET", "/readyz");
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->head.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << reply->head;
  EXPECT_NE(reply->body.find("\"reason\":\"draining\""), std::string::npos) << reply->body;
  EXPECT_EQ(client.Ask("GET", "/livez")->status, 200);
  ready_ = true;
  EXPECT_EQ(client.Ask("GET", "/readyz")->status, 200);
}

TEST_F(AdminServerTest, OneConnectionServesManyRequests) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  for (int i = 0; i < 50; ++i) {
    const auto reply = client.Ask("GET", i % 2 == 0 ? "/livez" : "/metrics");
    ASSERT_TRUE(reply) << i;
    ASSERT_EQ(reply->status, 200) << i;
  }
}

TEST_F(AdminServerTest, PipelinedRequestsAreAnsweredInOrder) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  client.Send(
      "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nothing HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n"
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.Receive()->status, 200);
  EXPECT_EQ(client.Receive()->status, 404);
  EXPECT_EQ(client.Receive()->body, page_);
}

TEST_F(AdminServerTest, HeadHasTheLengthAndNoBody) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  const auto head = client.Ask("HEAD", "/metrics");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->Value("content-length"), std::to_string(page_.size()));
  const auto next = client.Ask("GET", "/livez");
  ASSERT_TRUE(next) << "a body followed the answer to HEAD";
  EXPECT_TRUE(next->head.starts_with("HTTP/1.1 200"));
}

TEST_F(AdminServerTest, AQueryDoesNotChangeTheEndpoint) {
  const auto server = Start(Loopback());
  EXPECT_EQ(HttpClient::Tcp(server->port()).Ask("GET", "/livez?verbose=1")->status, 200);
}

TEST_F(AdminServerTest, UnknownPathsAre404AndOtherMethods405WithAllow) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  const auto missing = client.Ask("GET", "/nothing");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->Value("content-type"), "application/problem+json");
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto reply = HttpClient::Tcp(server->port()).Ask(method, "/metrics");
    ASSERT_TRUE(reply) << method;
    EXPECT_EQ(reply->status, 405) << method;
    EXPECT_EQ(reply->Value("allow"), "GET, HEAD") << method;
    EXPECT_EQ(reply->Value("connection"), "close") << method;
  }
}

TEST_F(AdminServerTest, ARequestWithABodyGetsItsAnswerAndIsTheLast) {
  const auto server = Start(Loopback());
  for (const std::size_t size : {1UL, 10'000UL, 65'536UL}) {
    auto client = HttpClient::Tcp(server->port());
    client.Send(
        "POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
        "\r\n\r\n" + std::string(size, 'x') + "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto reply = client.Receive();
    ASSERT_TRUE(reply) << size;
    EXPECT_EQ(reply->status, 405);
    EXPECT_EQ(reply->Value("connection"), "close");
    EXPECT_FALSE(client.Receive()) << "the body's end was misjudged";
  }
}

TEST_F(AdminServerTest, AChunkedBodyIsNeverTakenForARequest) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  client.Send(
      "GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto reply = client.Receive();
  EXPECT_TRUE(!reply || reply->Value("connection") == "close");
  EXPECT_FALSE(client.Receive());
}

TEST_F(AdminServerTest, ConnectionCloseAndHttp10EndTheConnection) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  EXPECT_EQ(client.Ask("GET", "/livez", "Connection: close\r\n")->status, 200);
  EXPECT_TRUE(client.EndsWithin(2s));
  auto old = HttpClient::Tcp(server->port());
  old.Send("GET /livez HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Receive()->status, 200);
  EXPECT_TRUE(old.EndsWithin(2s));
}

TEST_F(AdminServerTest, AClientThatHasHalfClosedStillGetsItsAnswer) {
  const auto server = Start(Loopback());
  for (int i = 0; i < 20; ++i) {
    auto client = HttpClient::Tcp(server->port());
    client.Send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.HalfClose();
    const auto reply = client.Receive();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(reply->status, 200);
  }
}

// It once took five seconds for some sizes.
TEST_F(AdminServerTest, AnAnswerOfAnySizeEndsItsConnectionAtOnceWhereAsked) {
  const auto server = Start(Loopback());
  for (std::size_t size = 15'000; size < 40'000; size += 500) {
    page_ = std::string(size, 'x');
    auto client = HttpClient::Tcp(server->port());
    const auto reply = client.Ask("GET", "/metrics", "Connection: close\r\n");
    EXPECT_EQ(reply.value().body.size(), size);
    EXPECT_TRUE(client.EndsWithin(std::chrono::seconds(3))) << size;
  }
}

TEST_F(AdminServerTest, ALargePageReachesASlowReaderWhole) {
  for (int i = 0; i < 100'000; ++i) page_ += "b_total{n=\"" + std::to_string(i) + "\"} 1\n";
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  client.SetReceiveBuffer(64 * 1024);
  const auto reply = client.Ask("GET", "/metrics");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body.size(), page_.size());
  EXPECT_TRUE(reply->body == page_);
  EXPECT_EQ(client.Ask("GET", "/livez")->status, 200);
}

TEST_F(AdminServerTest, UpgradesAndGarbageEndTheConnectionAndNothingElse) {
  const auto server = Start(Loopback());
  for (const char* request :
       {"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "BREW /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello"}) {
    auto client = HttpClient::Tcp(server->port());
    client.Send(request);
    EXPECT_TRUE(client.EndsWithin(10s)) << request;
    EXPECT_EQ(HttpClient::Tcp(server->port()).Ask("GET", "/livez")->status, 200) << request;
  }
}

TEST_F(AdminServerTest, SilentClientsNeverKeepAProbeOut) {
  const auto server = Start(Loopback());
  const auto before = OpenDescriptors();
  std::vector<HttpClient> silent;
  std::vector<HttpClient> slow;
  for (int i = 0; i < 150; ++i) {
    silent.push_back(HttpClient::Tcp(server->port()));
    slow.push_back(HttpClient::Tcp(server->port()));
    slow.back().Send("GET /livez HTTP/1.1\r\nHo");
  }
  const auto reply = HttpClient::Tcp(server->port()).Ask("GET", "/livez");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_LE(OpenDescriptors() - before, 300 + 64 + 1);
  EXPECT_TRUE(silent.front().EndsWithin(2s)) << "the one that waited longest gave way";
}

TEST_F(AdminServerTest, AConnectionInUseOutlivesIdleOnesThatCameLater) {
  const auto server = Start(Loopback());
  auto client = HttpClient::Tcp(server->port());
  std::vector<HttpClient> idle;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(HttpClient::Tcp(server->port()));
    // An answer proves that it has been accepted: the order of use is then certain.
    ASSERT_EQ(idle.back().Ask("GET", "/livez").value_or(HttpReply{}).status, 200) << i;
    if (i % 20 == 0) {
      ASSERT_EQ(client.Ask("GET", "/livez").value_or(HttpReply{}).status, 200) << i;
    }
  }
}

TEST_F(AdminServerTest, ASilentClientIsLetGoAfterItsTime) {
  const auto server = Start(Loopback());
  auto silent = HttpClient::Tcp(server->port());
  auto slow = HttpClient::Tcp(server->port());
  slow.Send("GET /livez HTTP/1.1\r\nHo");
  auto idle = HttpClient::Tcp(server->port());
  EXPECT_EQ(idle.Ask("GET", "/livez")->status, 200);
  EXPECT_FALSE(silent.EndsWithin(1s)) << "not at once";
  EXPECT_TRUE(silent.EndsWithin(20s));
  EXPECT_TRUE(slow.EndsWithin(20s));
  EXPECT_TRUE(idle.EndsWithin(20s));
}

TEST_F(AdminServerTest, ManyConnectionsAtOnceAreAllServed) {
  const auto server = Start(Loopback());
  std::vector<HttpClient> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(HttpClient::Tcp(server->port()));
  for (auto& client : clients) client.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (auto& client : clients) {
    const auto reply = client.Receive();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, page_);
  }
}

TEST_F(AdminServerTest, WithoutDescriptorsItWaitsAndThenServes) {
  const auto server = Start(Loopback());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  auto waiting = HttpClient::Tcp(server->port());
  EXPECT_EQ(waiting.Ask("GET", "/livez")->status, 200);
  std::vector<HttpClient> starved;
  const rlimit tight{static_cast<rlim_t>(OpenDescriptors() + 2), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  for (int i = 0; i < 3; ++i) starved.push_back(HttpClient::Tcp(server->port()));
  EXPECT_EQ(waiting.Ask("GET", "/livez")->status, 200) << "those that are there are served";
  setrlimit(RLIMIT_NOFILE, &before);
  for (auto& client : starved) {
    EXPECT_TRUE(!client.connected() || client.Ask("GET", "/livez")->status == 200);
  }
}

TEST_F(AdminServerTest, Ipv6AndNamesCanBeBound) {
  const auto six = Start(Tcp("::1", 0));
  EXPECT_EQ(HttpClient::Tcp(six->port(), true).Ask("GET", "/livez")->status, 200);
  const auto name = Start(Tcp("localhost", 0));
  const bool first_is_six = !HttpClient::Tcp(name->port()).connected();
  EXPECT_EQ(HttpClient::Tcp(name->port(), first_is_six).Ask("GET", "/livez")->status, 200);
}

std::string ErrorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_F(AdminServerTest, AnAddressInUseIsSaidSo) {
  const auto first = Start(Loopback());
  const std::string address = "127.0.0.1:" + std::to_string(first->port());
  EXPECT_EQ(ErrorOf([&] { Start(Loopback(first->port())); }),
            "admin: cannot listen on " + address + ": Address already in use");
  EXPECT_EQ(HttpClient::Tcp(first->port()).Ask("GET", "/livez")->status, 200);
}

TEST_F(AdminServerTest, AnAddressThatIsNotOursIsSaidSo) {
  EXPECT_EQ(ErrorOf([&] { Start(Tcp("192.0.2.1", 80)); }),
            "admin: cannot listen on 192.0.2.1:80: Cannot assign requested address");
  EXPECT_NE(ErrorOf([&] { Start(Tcp("no.such.host.invalid", 80)); }), "");
}

TEST_F(AdminServerTest, ThePortIsFreeAgainAfterwardsAlthoughClientsWereConnected) {
  auto first = Start(Loopback());
  const std::uint16_t port = first->port();
  auto client = HttpClient::Tcp(port);
  EXPECT_EQ(client.Ask("GET", "/livez")->status, 200);
  first.reset();
  EXPECT_TRUE(client.EndsWithin(2s));
  const auto second = Start(Loopback(port));
  EXPECT_EQ(second->port(), port);
  EXPECT_EQ(HttpClient::Tcp(port).Ask("GET", "/livez")->status, 200);
}

TEST_F(AdminServerTest, StartingAndStoppingLeavesOnlyTheEventfdThatLwsLosesWithEachContext) {
  constexpr int kTimes = 5;
  Start(Loopback()).reset();
  const auto before = OpenDescriptors();
  for (int i = 0; i < kTimes; ++i) {
    const auto server = Start(Loopback());
    EXPECT_EQ(HttpClient::Tcp(server->port()).Ask("GET", "/livez")->status, 200);
  }
  // lws 4.3.5 forgets its eventfd instead of closing it (lib/core-net/close.c).
  EXPECT_LE(OpenDescriptors(), before + kTimes);
}

class AdminUnixTest : public AdminServerTest {
 protected:
  AdminUnixTest() {
    std::string name = std::filesystem::temp_directory_path() / "connguard-admin-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/admin.sock";
  }
  ~AdminUnixTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string path_;
};

TEST_F(AdminUnixTest, AUnixSocketIsServedAndItsFileRemovedAtTheEnd) {
  auto server = Start(Unix(path_));
  EXPECT_EQ(server->port(), 0);
  EXPECT_EQ(HttpClient::Unix(path_).Ask("GET", "/livez")->status, 200);
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(AdminUnixTest, ASocketThatAKilledProcessLeftIsReplaced) {
  auto first = Start(Unix(path_));
  std::filesystem::create_hard_link(path_, folder_ + "/kept");
  first.reset();
  std::filesystem::rename(folder_ + "/kept", path_);
  const auto second = Start(Unix(path_));
  EXPECT_EQ(HttpClient::Unix(path_).Ask("GET", "/livez")->status, 200);
}

TEST_F(AdminUnixTest, ASocketInUseIsSaidSoAndStays) {
  const auto first = Start(Unix(path_));
  EXPECT_EQ(ErrorOf([&] { Start(Unix(path_)); }),
            "admin: cannot listen on unix:" + path_ + ": Address already in use");
  EXPECT_EQ(HttpClient::Unix(path_).Ask("GET", "/livez")->status, 200);
}

TEST_F(AdminUnixTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_NE(ErrorOf([&] { Start(Unix(path_)); }), "");
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(AdminUnixTest, APathThatIsTooLongIsSaidSo) {
  EXPECT_NE(ErrorOf([&] { Start(Unix("/tmp/" + std::string(200, 'x'))); }).find("too long"),
            std::string::npos);
}

}  // namespace
}  // namespace connguard
