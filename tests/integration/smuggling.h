// Messages that two readers could take differently: refused, and the origin none the wiser.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/guard_test.h"

namespace connguard::testing {

// Comes behind every illegal request, and must never arrive as a request of its own.
inline constexpr std::string_view kSmuggled =
    "GET /smuggled HTTP/1.1\r\nHost: guard.example\r\n\r\n";
inline constexpr std::size_t kHeaderSize = 1024;  // limits.header_size of SmugglingTest

struct BadRequest {
  std::string name;
  int status;
  std::string bytes;
};

// A request with a Host; `fields`: further lines, each with its line end.
inline std::string Ask(std::string_view line, std::string_view fields = "",
                       std::string_view body = "") {
  std::string text(line);
  text.append("\r\nHost: guard.example\r\n").append(fields).append("\r\n").append(body);
  return text;
}
inline std::string Get(std::string_view fields) { return Ask("GET / HTTP/1.1", fields); }

// Every connection that the guard has made to the origin, including those that it keeps.
class OriginWatch {
 public:
  explicit OriginWatch(TestOrigin& origin) : origin_(origin) {}

  // Asks the guard for something sound and answers it. Returns what else has come to the origin, by
  // connections, which must have ended: the guard has one worker, so that all that it does for an
  // earlier client comes before this.
  std::vector<std::string> Probe(TestClient client) {
    std::vector<std::string> seen;
    client.Send("GET /probe HTTP/1.1\r\nHost: guard.example\r\nConnection: close\r\n\r\n");
    do Await();
    while (!Collect(seen));
    Collect(seen);  // what came on other connections at the same time
    client.ExpectStatus(200);
    client.ReadToEnd();
    return seen;
  }

  // From now on `leg` is one of them.
  void Add(OriginLeg leg) { legs_.push_back(std::move(leg)); }
  void Close() { legs_.clear(); }

 private:
  void Await() const {
    std::vector<pollfd> all{{.fd = origin_.fd(), .events = POLLIN, .revents = 0}};
    for (const OriginLeg& leg : legs_) all.push_back({leg.fd(), POLLIN, 0});
    const std::chrono::milliseconds patience = kPatience;
    if (poll(all.data(), all.size(), static_cast<int>(patience.count())) <= 0) {
      throw std::runtime_error("the probe does not come to the origin");
    }
  }

  // Takes what has come. True when the probe was there.
  bool Collect(std::vector<std::string>& seen) {
    constexpr std::chrono::milliseconds kNow{0};
    while (!origin_.NobodyComes(kNow)) legs_.push_back(origin_.Accept());
    bool probed = false;
    std::vector<OriginLeg> kept;
    for (OriginLeg& leg : std::exchange(legs_, {})) {
      if (leg.Silent(kNow)) {
        kept.push_back(std::move(leg));
        continue;
      }
      std::string text = leg.ReadSome();
      const bool probe = text.starts_with("GET /probe HTTP/1.1\r\n");
      if (probe) {
        if (text.find("\r\n\r\n") == std::string::npos) text += leg.ReadRequest();
        text.erase(0, text.find("\r\n\r\n") + 4);
        leg.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        probed = true;
        if (text.empty()) {
          kept.push_back(std::move(leg));
          continue;
        }
      }
      text += leg.ReadToEnd();
      if (!text.empty()) seen.push_back(std::move(text));
    }
    legs_ = std::move(kept);
    return probed;
  }

  TestOrigin& origin_;
  std::vector<OriginLeg> legs_;
};

class SmugglingTest : public GuardTest {
 protected:
  void SetUp() override { StartGuard({.upstream = "", .limits = "{header_size: 1KiB}"}); }
  void TearDown() override {
    watch_.Close();
    GuardTest::TearDown();
  }

  // Runs `body` for every case, in one segment and byte by byte: a case that fails stops no other.
  template <typename Case>
  void ForEach(const std::vector<Case>& table,
               const std::function<void(const Case&, bool split)>& body) {
    for (const Case& one : table) {
      for (const bool split : {false, true}) {
        SCOPED_TRACE(std::string(one.name) + (split ? ", byte by byte" : ", in one segment"));
        try {
          body(one, split);
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
        }
      }
    }
  }

  static void Send(Peer& peer, std::string_view bytes, bool split) {
    if (split) {
      peer.SendByteByByte(bytes);
    } else {
      peer.Send(bytes);
    }
  }

  // The guard's own answer, and the end of the connection.
  static void ExpectProblem(TestClient& client, int status) {
    const Answer answer = client.ExpectStatus(status);
    EXPECT_EQ(answer.Value("Content-Type"), "application/problem+json");
    EXPECT_NE(answer.Value("Connection").find("close"), std::string::npos) << answer.head;
    PeerEnd end = PeerEnd::kReset;
    const std::string body = client.ReadToEnd(&end);
    EXPECT_EQ(answer.Value("Content-Length"), std::to_string(body.size()));
    EXPECT_EQ(end, PeerEnd::kFin);
  }

  // Every one is refused, its connection closed, and the origin sees nothing of it.
  void ExpectRefused(const std::vector<BadRequest>& table) {
    ForEach<BadRequest>(table, [this](const BadRequest& bad, bool split) {
      TestClient client = guard().Connect();
      Send(client, bad.bytes + std::string(kSmuggled), split);
      ExpectProblem(client, bad.status);
      EXPECT_EQ(watch_.Probe(guard().Connect()), std::vector<std::string>{});
    });
  }

  OriginWatch watch_{origin_};
};

}  // namespace connguard::testing
