// What the guard answers itself, and when.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/guard_test.h"

namespace connguard::testing {
namespace {

class RefusalTest : public GuardTest {
 protected:
  // The guard's own answer: problem details, then the end.
  void ExpectRefusal(TestClient& client, int status) {
    const Answer answer = client.ExpectStatus(status);
    EXPECT_EQ(answer.Value("Content-Type"), "application/problem+json");
    const std::string body = client.ReadToEnd();
    EXPECT_EQ(answer.Value("Content-Length"), std::to_string(body.size()));
    EXPECT_NE(body.find("\"status\":" + std::to_string(status)), std::string::npos) << body;
  }
};

// A directory for unix sockets that is gone after the test.
class SocketFolder {
 public:
  SocketFolder() {
    std::string name = std::filesystem::temp_directory_path() / "connguard-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~SocketFolder() { std::filesystem::remove_all(path_); }
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;

  std::string File(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

TEST_F(RefusalTest, UpstreamThatRefusesConnectionsIsA502) {
  StartGuard();
  origin_.Close();
  TestClient socket = Connect("/ws/ann");
  ExpectRefusal(socket, 502);
  TestClient plain = guard().Connect();
  plain.Send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  ExpectRefusal(plain, 502);
}

TEST_F(RefusalTest, UpstreamThatDoesNotAnswerIsA504) {
  StartGuard({.upstream = "", .upstream_more = "handshake_timeout: 200ms"});
  TestClient client = Connect("/ws/ann");
  OriginLeg origin = origin_.Accept();
  origin.ReadRequest();
  ExpectRefusal(client, 504);
  EXPECT_EQ(origin.ReadToEnd(), "");
}

TEST_F(RefusalTest, AnswerThatIsNoneIsA502) {
  StartGuard();
  const std::string upgraded = OriginLeg::Upgraded();
  const std::string fields = upgraded.substr(upgraded.find("\r\n"));
  const std::vector<std::string> answers = {
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      std::string("\0\x01\x02\r\n\r\n", 7),
      "HTTP/1.1 abc Huh\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.0 101 Switching Protocols" + fields,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOoo\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
          std::string(kSampleAccept) + "\r\n\r\n"};
  for (const std::string& answer : answers) {
    SCOPED_TRACE(answer);
    TestClient client = Connect("/ws/ann");
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send(answer);
    ExpectRefusal(client, 502);
  }
}

TEST_F(RefusalTest, UpstreamThatEndsWithoutAnAnswerIsA502) {
  StartGuard();
  for (const bool reset : {false, true}) {
    SCOPED_TRACE(reset);
    TestClient client = Connect("/ws/ann");
    OriginLeg origin = origin_.Accept();
    origin.ReadRequest();
    origin.Send("HTTP/1.1 101 Swit");
    if (reset) {
      origin.Reset();
    } else {
      origin.Close();
    }
    ExpectRefusal(client, 502);
  }
}

TEST_F(RefusalTest, PathWithoutARouteIsA404) {
  StartGuard({.upstream = "", .rest_path = "/api/**"});
  TestClient client = Connect("/other");
  ExpectRefusal(client, 404);
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(RefusalTest, HalfAHeadIsA408AfterTheHandshakeTimeout) {
  StartGuard({.upstream = "", .limits = "{handshake_timeout: 200ms}"});
  TestClient half = guard().Connect();
  half.Send("GET /ws/ann HTTP/1.1\r\nHost: h\r\n");
  TestClient mute = guard().Connect();
  ExpectRefusal(half, 408);
  EXPECT_EQ(mute.ReadToEnd(), "");  // asked nothing, is told nothing
}

TEST_F(RefusalTest, TooLongAHeadIsA431AndTooLongALineA414) {
  StartGuard({.upstream = "", .limits = "{header_size: 1KiB}"});
  TestClient line = Connect("/ws/ann?" + std::string(1024, 'x'));
  ExpectRefusal(line, 414);
  TestClient head = guard().Connect();
  head.SendHandshake("/ws/ann", "X: " + std::string(1024, 'x') + "\r\n");
  ExpectRefusal(head, 431);
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(RefusalTest, IllegalHeadsAreRefusedAndReachNoUpstream) {
  StartGuard();
  const auto request = [](std::string_view line, std::string_view fields) {
    return std::string(line) + "\r\n" + std::string(fields) + "\r\n";
  };
  const std::string upgrade = "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string key = "Sec-WebSocket-Key: " + std::string(kSampleKey) + "\r\n";
  const std::vector<std::pair<std::string, int>> heads = {
      {request("GET / HTTP/1.1", ""), 400},
      {request("GET / HTTP/1.1", "Host: a\r\nHost: b\r\n"), 400},
      {request("GET / HTTP/1.1", "Host: a b\r\n"), 400},
      {request("GET / HTTP/1.1", "Host : h\r\n"), 400},
      {request("GET / HTTP/1.1", "Host: h\r\nX: 1\r\n folded\r\n"), 400},
      {request("GET / HTTP/1.1", "Host: h\nX: bare\r\n"), 400},
      {request("GET /#f HTTP/1.1", "Host: h\r\n"), 400},
      {request("GET /\xC3\xA9 HTTP/1.1", "Host: h\r\n"), 400},
      {request("GET ws HTTP/1.1", "Host: h\r\n"), 400},
      {request("GET /", "Host: h\r\n"), 400},
      {request("GET / HTTP/2.0", "Host: h\r\n"), 400},
      {request("CONNECT h:443 HTTP/1.1", "Host: h\r\n"), 400},
      {request("POST / HTTP/1.1", "Host: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n"), 400},
      {request("POST / HTTP/1.1", "Host: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {request("POST / HTTP/1.1", "Host: h\r\nContent-Length: -1\r\n"), 400},
      {request("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n"), 400},
      {request("POST /ws/ann HTTP/1.1", upgrade + version + key), 400},
      {request("GET /ws/ann HTTP/1.1", upgrade + version), 400},
      {request("GET /ws/ann HTTP/1.1", upgrade + version + "Sec-WebSocket-Key: short\r\n"), 400},
      {request("GET /ws/ann HTTP/1.1", upgrade + version + key + "Content-Length: 5\r\n"), 400},
      {request("GET /ws/ann HTTP/1.1", upgrade + "Sec-WebSocket-Version: 8\r\n" + key), 426},
  };
  for (const auto& [head, status] : heads) {
    SCOPED_TRACE(head);
    TestClient client = guard().Connect();
    client.Send(head);
    ExpectRefusal(client, status);
  }
  EXPECT_TRUE(origin_.NobodyComes());
}

TEST_F(RefusalTest, OneConnectionTooManyIsA503UntilOneLeaves) {
  StartGuard({.upstream = "", .limits = "{connections: 1}"});
  {
    const Ends first = Open("/ws/ann");
    TestClient second = Connect("/ws/bob");
    ExpectRefusal(second, 503);
    EXPECT_TRUE(origin_.NobodyComes());
  }
  guard().AwaitMetric("connguard_connections", "", 0);
  Open("/ws/bob");
}

TEST_F(RefusalTest, BothSidesMayBeUnixSockets) {
  const SocketFolder folder;
  TestOrigin origin(folder.File("agent.sock"));
  StartGuard({.upstream = origin.url(), .bind = "unix:" + folder.File("guard.sock")});
  TestClient client = Connect("/ws/ann");
  OriginLeg leg = origin.Accept();
  const std::string request = leg.Upgrade();
  EXPECT_EQ(request.find("X-Forwarded-For"), std::string::npos) << request;
  client.ExpectStatus(101);
  client.SendText("up");
  EXPECT_EQ(leg.ReadText(), "up");
  leg.SendText("down");
  EXPECT_EQ(client.ReadText(), "down");
}

TEST_F(RefusalTest, ClientsWithoutAnAddressAreNotLimitedByIt) {
  const SocketFolder folder;
  StartGuard({.upstream = "",
              .limits = "{connections_per_ip: 1, handshakes_per_second_per_ip: 1}",
              .bind = "unix:" + folder.File("guard.sock")});
  std::vector<Ends> tunnels;
  for (const char* path : {"/ws/ann", "/ws/bob", "/ws/cat", "/ws/dan"}) {
    tunnels.push_back(Open(path));
  }
}

}  // namespace
}  // namespace connguard::testing
