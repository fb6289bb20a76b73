// Those who wait for a drain's end, over real sockets.
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "canned.h"
#include "http_client.h"

namespace connguard {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMost = 8;

class DrainWaitersTest : public testing::Test {
 protected:
  void Start(Millis drain_begins = Millis{60'000}, const std::string& token = {}) {
    server_ =
        std::make_unique<AdminServer>(AdminConfig{.bind = {"127.0.0.1", 0, ""}, .token = token},
                                      guard_.Sources(), AdminTiming{.drain_begins = drain_begins});
  }
  HttpClient Connect() { return HttpClient::Tcp(server_->port()); }
  // Certain to be waited for: what is asked afterwards has been answered, on the same thread.
  HttpClient Waiter(const std::string& method = "GET") {
    HttpClient client = Connect();
    client.Send(method + " /drainz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(Probe(), 200);
    return client;
  }
  int Probe() { return Connect().Ask("GET", "/livez").value_or(HttpReply{}).status; }
  static void ExpectDrained(HttpClient& client) {
    const HttpReply reply = client.Receive().value_or(HttpReply{});
    EXPECT_EQ(reply.status, 200) << reply.head;
    EXPECT_EQ(reply.body, "{\"status\":\"drained\"}\n");
    EXPECT_EQ(reply.Value("connection"), "close");
    EXPECT_TRUE(client.EndsWithin(2s));
  }

  CannedGuard guard_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(DrainWaitersTest, TheAnswerComesWhenTheGuardEnds) {
  Start();
  HttpClient client = Waiter();
  HttpClient another = Waiter();
  guard_.state.drain = DrainState::kDraining;
  EXPECT_FALSE(client.EndsWithin(200ms)) << "the drain goes on";
  server_.reset();
  ExpectDrained(client);
  ExpectDrained(another);
}

TEST_F(DrainWaitersTest, NothingIsBegun) {
  Start();
  HttpClient client = Waiter();
  EXPECT_EQ(guard_.drains, 0);
}

TEST_F(DrainWaitersTest, WithoutADrainTheWaitIsShort) {
  Start(Millis{50});
  HttpClient client = Waiter();
  const HttpReply reply = client.Receive().value_or(HttpReply{});
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, "{\"status\":\"serving\"}\n");
  EXPECT_TRUE(client.EndsWithin(2s));
  EXPECT_EQ(Probe(), 200);
}

TEST_F(DrainWaitersTest, ADrainThatBeginsInTimeIsWaitedFor) {
  Start(Millis{300});
  HttpClient client = Waiter();
  guard_.state.drain = DrainState::kDelay;
  EXPECT_FALSE(client.EndsWithin(600ms));
  server_.reset();
  ExpectDrained(client);
}

// lws's own time-outs are five seconds.
TEST_F(DrainWaitersTest, TheWaitMayBeLongerThanARequest) {
  Start();
  guard_.state.drain = DrainState::kDraining;
  HttpClient client = Waiter();
  EXPECT_FALSE(client.EndsWithin(7s));
  server_.reset();
  ExpectDrained(client);
}

TEST_F(DrainWaitersTest, HeadWaitsToo) {
  Start();
  HttpClient client = Waiter("HEAD");
  server_.reset();
  const HttpReply reply = client.Receive(true).value_or(HttpReply{});
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(client.EndsWithin(2s));
}

TEST_F(DrainWaitersTest, NobodyNeedsTheToken) {
  Start(Millis{60'000}, "0123456789abcdef");
  HttpClient client = Waiter();
  server_.reset();
  ExpectDrained(client);
}

TEST_F(DrainWaitersTest, OneTooManyIsToldSoAndOneThatLeavesMakesRoom) {
  Start();
  std::vector<HttpClient> waiters;
  for (std::size_t i = 0; i < kMost; ++i) waiters.push_back(Waiter());
  const HttpReply reply = Connect().Ask("GET", "/drainz").value_or(HttpReply{});
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.Value("retry-after"), "10");
  EXPECT_EQ(reply.Value("content-type"), "application/problem+json");
  waiters.pop_back();
  EXPECT_EQ(Probe(), 200);
  HttpClient next = Waiter();
  server_.reset();
  ExpectDrained(next);
  for (HttpClient& waiter : waiters) ExpectDrained(waiter);
}

TEST_F(DrainWaitersTest, NobodyElseTakesTheirPlace) {
  Start();
  HttpClient client = Waiter();
  std::vector<HttpClient> silent;
  for (int i = 0; i < 150; ++i) silent.push_back(Connect());
  EXPECT_EQ(Probe(), 200);
  server_.reset();
  ExpectDrained(client);
}

TEST_F(DrainWaitersTest, WhatIsPipelinedBehindItGetsNoAnswer) {
  Start();
  HttpClient client = Connect();
  client.Send(
      "GET /drainz HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(Probe(), 200);
  guard_.state.drain = DrainState::kDraining;
  server_.reset();
  const auto reply = client.Receive();
  EXPECT_TRUE(!reply || reply->body == "{\"status\":\"drained\"}\n") << reply->body;
  EXPECT_FALSE(client.Receive());
}

}  // namespace
}  // namespace connguard
