// Streams of events over real sockets.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "canned.h"
#include "http_client.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kStreams = 16;
constexpr auto kHello = "event: hello\n";

AdminEvent EventOf(int session, AdminEvent::Kind kind = AdminEvent::Kind::kState) {
  return {.kind = kind, .at = std::chrono::system_clock::now(), .session = CannedSession(session)};
}

class EventStreamTest : public testing::Test {
 protected:
  void Start(AdminTiming timing = {}) {
    server_ = std::make_unique<AdminServer>(AdminConfig{.bind = {"127.0.0.1", 0, ""}},
                                            guard_.Sources(), timing);
  }
  HttpClient Connect() { return HttpClient::Tcp(server_->port()); }
  static void Subscribe(HttpClient& client, const std::string& target = "/v1/events") {
    client.Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  HttpClient Watch(const std::string& target = "/v1/events") {
    HttpClient client = Connect();
    Subscribe(client, target);
    EXPECT_NE(client.ReadUntil(kHello), "");
    EXPECT_NE(client.ReadUntil("\n\n"), "");
    return client;
  }
  void Publish(AdminEvent event) {
    ASSERT_TRUE(guard_.feed.wanted());
    guard_.feed.Publish(std::move(event));
  }
  int Probe() { return Connect().Ask("GET", "/livez").value_or(HttpReply{}).status; }
  bool NobodyWatchesSoon() const {
    for (int i = 0; i < 500 && guard_.feed.wanted(); ++i) std::this_thread::sleep_for(10ms);
    return !guard_.feed.wanted();
  }

  CannedGuard guard_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(EventStreamTest, AStreamBeginsWithItsHeadAndAGreeting) {
  Start();
  EXPECT_FALSE(guard_.feed.wanted());
  HttpClient client = Connect();
  Subscribe(client);
  const std::string head = client.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
  EXPECT_NE(head.find("content-type: text/event-stream\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("content-length"), std::string::npos) << head;
  EXPECT_NE(head.find("connection: close\r\n"), std::string::npos) << head;
  EXPECT_NE(client.ReadUntil("\n\n").find(kHello), std::string::npos);
  EXPECT_TRUE(guard_.feed.wanted());
}

TEST_F(EventStreamTest, EventsComeInOrderWithTheirIds) {
  Start();
  HttpClient client = Watch();
  for (int i = 0; i < 4; ++i) Publish(EventOf(i));
  for (int i = 0; i < 4; ++i) {
    const std::string text = client.ReadUntil("\n\n");
    EXPECT_TRUE(text.starts_with("id: " + std::to_string(i + 1) + "\nevent: state\ndata: {"))
        << text;
    EXPECT_NE(text.find(CannedSession(i).id), std::string::npos) << text;
  }
}

TEST_F(EventStreamTest, OneSessionCanBeWatchedAlone) {
  Start();
  HttpClient client = Watch("/v1/events?session=" + CannedSession(3).id);
  for (int i = 0; i < 5; ++i) Publish(EventOf(i));
  Publish({.kind = AdminEvent::Kind::kDrain});
  Publish(EventOf(3, AdminEvent::Kind::kClosed));
  EXPECT_NE(client.ReadUntil("\n\n").find("event: state"), std::string::npos);
  EXPECT_NE(client.ReadUntil("\n\n").find("event: closed"), std::string::npos);
}

TEST_F(EventStreamTest, WhatWasBeforeAWatcherIsNotForIt) {
  Start();
  guard_.feed.Publish(EventOf(1));
  HttpClient client = Watch();
  Publish(EventOf(2));
  EXPECT_NE(client.ReadUntil("\n\n").find(CannedSession(2).id), std::string::npos);
}

TEST_F(EventStreamTest, NobodyIsWatchingWhenTheClientHasLeft) {
  Start();
  {
    HttpClient first = Watch();
    {
      const HttpClient second = Watch();
    }
    Publish(EventOf(1));
    EXPECT_NE(first.ReadUntil("\n\n"), "");
  }
  EXPECT_TRUE(NobodyWatchesSoon());
}

TEST_F(EventStreamTest, ASlowWatcherIsToldOfAGapAndHoldsUpNobody) {
  Start({.keep_alive = 600'000ms});  // no comments in between, however slow the machine is
  HttpClient slow = Connect();
  slow.SetReceiveBuffer(64 * 1024);
  Subscribe(slow);
  HttpClient quick = Watch();
  constexpr int kEvents = 1500;
  for (int i = 0; i < kEvents; ++i) {
    AdminEvent event = EventOf(1);
    event.session.route = std::string(10'000, 'r');
    Publish(std::move(event));
    ASSERT_TRUE(quick.ReadUntil("\n\n").starts_with("id: " + std::to_string(i + 1) + "\n"));
  }
  EXPECT_EQ(Probe(), 200);
  int got = 0;
  int lost = 0;
  std::string text = slow.ReadUntil("\n\n");
  EXPECT_NE(text.find(kHello), std::string::npos);
  while (got + lost < kEvents) {
    text = slow.ReadUntil("\n\n");
    ASSERT_NE(text, "") << got << " and " << lost;
    if (text.starts_with("event: gap\ndata: {\"lost\":")) {
      lost += std::stoi(text.substr(text.rfind(':') + 1));
    } else {
      ++got;
    }
  }
  EXPECT_GT(lost, 0);
  EXPECT_EQ(got + lost, kEvents) << "every event is there or counted";
  Publish(EventOf(2));
  EXPECT_NE(slow.ReadUntil("\n\n").find(CannedSession(2).id), std::string::npos) << "it goes on";
}

TEST_F(EventStreamTest, WhatTheFeedHasLostIsAGapForAll) {
  Start();
  HttpClient client = Watch();
  std::thread worker([this] {
    for (int i = 0; i < 60'000; ++i) guard_.feed.Publish({.kind = AdminEvent::Kind::kDrain});
  });
  const std::string text = client.ReadUntil("event: gap\ndata: ");
  worker.join();
  EXPECT_NE(text, "");
}

TEST_F(EventStreamTest, SilenceIsBrokenByComments) {
  Start({.keep_alive = 50ms, .stalled = 60'000ms});
  HttpClient client = Watch();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ReadUntil("\n\n"), ":\n\n");
}

TEST_F(EventStreamTest, AStreamWithoutEventsIsNotTakenForIdle) {
  Start();
  HttpClient client = Watch();
  EXPECT_FALSE(client.EndsWithin(8s)) << "an idle connection is ended after 5 s";
}

TEST_F(EventStreamTest, AClientThatTakesNothingIsLetGo) {
  Start({.keep_alive = 15'000ms, .stalled = 300ms});
  HttpClient stuck = Watch();
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (guard_.feed.wanted() && std::chrono::steady_clock::now() < deadline) {
    AdminEvent event = EventOf(1);
    event.session.route = std::string(10'000, 'r');
    guard_.feed.Publish(std::move(event));
    std::this_thread::sleep_for(1ms);  // for the other thread: this one would only fill the feed
  }
  EXPECT_FALSE(guard_.feed.wanted());
  EXPECT_TRUE(stuck.EndsWithin(5s)) << "behind what it had not read";
}

TEST_F(EventStreamTest, ThereAreSixteenAtMostAndOneThatGoesMakesRoom) {
  Start();
  std::vector<HttpClient> watchers;
  for (std::size_t i = 0; i < kStreams; ++i) watchers.push_back(Watch());
  const auto refused = Connect().Ask("GET", "/v1/events");
  EXPECT_EQ(refused.value().status, 503);
  EXPECT_EQ(refused->Value("retry-after"), "10");
  watchers.pop_back();
  int status = 503;
  for (int i = 0; i < 500 && status == 503; ++i) {
    HttpClient client = Connect();
    Subscribe(client);
    status = std::stoi(client.ReadUntil("\r\n").substr(9));
  }
  EXPECT_EQ(status, 200);
}

TEST_F(EventStreamTest, SilentClientsDisplaceNoStreamAndStreamsNoProbe) {
  Start();
  std::vector<HttpClient> watchers;
  for (std::size_t i = 0; i < kStreams; ++i) watchers.push_back(Watch());
  std::vector<HttpClient> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(Connect());
  EXPECT_EQ(Probe(), 200);
  Publish(EventOf(1));
  for (HttpClient& watcher : watchers) EXPECT_NE(watcher.ReadUntil("\n\n"), "");
  EXPECT_EQ(Probe(), 200);
}

TEST_F(EventStreamTest, WhatAWatcherSendsIsOfNoConsequence) {
  Start();
  HttpClient client = Watch();
  client.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  guard_.feed.Publish(EventOf(1));  // it may have been cut off already
  const std::string text = client.ReadUntil("\n\n");
  EXPECT_TRUE(text.empty() || text.starts_with("id: 1\n")) << text;
  EXPECT_EQ(Probe(), 200);
}

TEST_F(EventStreamTest, HeadIsNoStream) {
  Start();
  HttpClient client = Connect();
  client.Send("HEAD /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("text/event-stream"), std::string::npos);
  EXPECT_TRUE(client.EndsWithin(2s));
  EXPECT_FALSE(guard_.feed.wanted());
}

TEST_F(EventStreamTest, TheEndOfTheServerEndsTheStreams) {
  Start();
  HttpClient client = Watch();
  server_.reset();
  EXPECT_TRUE(client.EndsWithin(2s));
  EXPECT_FALSE(guard_.feed.wanted());
  guard_.feed.Publish(EventOf(1));  // wakes nobody
}

TEST_F(EventStreamTest, WorkersMayPublishWhileTheServerEnds) {
  std::atomic<bool> done{false};
  std::thread worker([&] {
    while (!done.load()) {
      if (guard_.feed.wanted()) guard_.feed.Publish(EventOf(1));
      std::this_thread::sleep_for(20us);  // workers do not stand in each other's way all the time
    }
  });
  for (int i = 0; i < 5; ++i) {
    Start();
    HttpClient client = Watch();
    EXPECT_NE(client.ReadUntil("\n\n"), "");
    server_.reset();
  }
  done = true;
  worker.join();
}

}  // namespace
}  // namespace connguard
