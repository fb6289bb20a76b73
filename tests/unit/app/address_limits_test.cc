// AddressLimits: connections and handshakes of one address, and what is remembered of them.
#include "app/address_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace connguard {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

IpAddress Ip(std::string_view text) { return ParseIp(text).value(); }

const IpAddress kAnn = Ip("192.0.2.1");
const IpAddress kBob = Ip("192.0.2.2");

class AddressLimitsTest : public testing::Test {
 protected:
  // How many of `tries` handshakes at once are let through.
  int Burst(AddressLimits& limits, const IpAddress& ip, int tries = 100) const {
    int let = 0;
    for (int i = 0; i < tries; ++i) let += limits.Handshake(ip, now_) ? 1 : 0;
    return let;
  }

  TimePoint now_{std::chrono::hours(1)};
};

TEST_F(AddressLimitsTest, AnAddressHasOnlySoManyConnections) {
  AddressLimits limits(2, 0);
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_FALSE(limits.Connect(kAnn));
  EXPECT_TRUE(limits.Connect(kBob));
  limits.Disconnect(kAnn);
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_FALSE(limits.Connect(kAnn));
}

TEST_F(AddressLimitsTest, WhatIsRefusedDoesNotCount) {
  AddressLimits limits(1, 0);
  EXPECT_TRUE(limits.Connect(kAnn));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limits.Connect(kAnn));
  limits.Disconnect(kAnn);
  EXPECT_TRUE(limits.Connect(kAnn));
}

TEST_F(AddressLimitsTest, APlaceIsGivenBackOnceWhereverItWent) {
  AddressLimits limits(1, 0);
  AddressLimits::Place kept;
  EXPECT_FALSE(kept);
  {
    ASSERT_TRUE(limits.Connect(kAnn));
    AddressLimits::Place place(limits, kAnn);
    kept = std::move(place);
  }
  EXPECT_TRUE(kept);
  EXPECT_FALSE(limits.Connect(kAnn));
  kept = {};
  EXPECT_EQ(limits.size(), 0U);
  EXPECT_TRUE(limits.Connect(kAnn));
}

TEST_F(AddressLimitsTest, AV6ClientIsItsNetwork) {
  AddressLimits limits(1, 1);
  EXPECT_TRUE(limits.Connect(Ip("2001:db8:0:1::1")));
  EXPECT_FALSE(limits.Connect(Ip("2001:db8:0:1:ffff::2")));
  EXPECT_TRUE(limits.Connect(Ip("2001:db8:0:2::1")));
  EXPECT_EQ(Burst(limits, Ip("2001:db8::1")), 2);
  EXPECT_EQ(Burst(limits, Ip("2001:db8::ffff:1")), 0);
  limits.Disconnect(Ip("2001:db8:0:1:3::"));
  EXPECT_TRUE(limits.Connect(Ip("2001:db8:0:1::1")));
}

TEST_F(AddressLimitsTest, AMappedAddressIsTheV4AddressAndNoOther) {
  AddressLimits limits(1, 0);
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_FALSE(limits.Connect(Ip("::ffff:192.0.2.1")));
  EXPECT_TRUE(limits.Connect(Ip("::192.0.2.1")));
  EXPECT_TRUE(limits.Connect(Ip("::ffff:192.0.2.2")));
}

TEST_F(AddressLimitsTest, ZeroIsNoLimit) {
  AddressLimits limits(0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_EQ(Burst(limits, kAnn), 100);
}

TEST_F(AddressLimitsTest, TwiceTheRateIsLetThroughAtOnce) {
  for (const int rate : {1, 3, 7, 40}) {
    AddressLimits limits(0, static_cast<std::size_t>(rate));
    EXPECT_EQ(Burst(limits, kAnn), 2 * rate) << rate;
    EXPECT_EQ(Burst(limits, kBob), 2 * rate) << rate;
  }
}

TEST_F(AddressLimitsTest, ThenTheRate) {
  AddressLimits limits(0, 4);
  EXPECT_EQ(Burst(limits, kAnn), 8);
  now_ += 249ms;
  EXPECT_EQ(Burst(limits, kAnn), 0);
  now_ += 1ms;
  EXPECT_EQ(Burst(limits, kAnn), 1);
  now_ += 1s;
  EXPECT_EQ(Burst(limits, kAnn), 4);
  now_ += std::chrono::hours(1);
  EXPECT_EQ(Burst(limits, kAnn), 8) << "a bucket does not overflow";
}

TEST_F(AddressLimitsTest, RefusedHandshakesDoNotPutTheNextOneOff) {
  AddressLimits limits(0, 1);
  EXPECT_EQ(Burst(limits, kAnn, 1000), 2);
  now_ += 1s;
  EXPECT_EQ(Burst(limits, kAnn, 1000), 1);
}

TEST_F(AddressLimitsTest, ClocksOfWorkersMayDiffer) {
  AddressLimits limits(0, 1);
  EXPECT_TRUE(limits.Handshake(kAnn, now_));
  EXPECT_TRUE(limits.Handshake(kAnn, now_ - 0ms));
  EXPECT_FALSE(limits.Handshake(kAnn, now_ - 10ms));
}

TEST_F(AddressLimitsTest, NewLimitsHoldForWhatComes) {
  AddressLimits limits(0, 0);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.Connect(kAnn));
  limits.SetLimits(2, 1);
  EXPECT_FALSE(limits.Connect(kAnn));
  EXPECT_EQ(Burst(limits, kAnn), 2);
  limits.Disconnect(kAnn);
  limits.Disconnect(kAnn);
  EXPECT_TRUE(limits.Connect(kAnn));
  limits.SetLimits(0, 0);
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_EQ(Burst(limits, kAnn), 100);
}

TEST_F(AddressLimitsTest, WhoIsGoneIsForgotten) {
  AddressLimits limits(5, 0);
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_TRUE(limits.Connect(kBob));
  EXPECT_EQ(limits.size(), 2U);
  limits.Disconnect(kAnn);
  EXPECT_EQ(limits.size(), 1U);
  limits.Disconnect(kBob);
  limits.Disconnect(kBob);  // once too often
  EXPECT_EQ(limits.size(), 0U);
}

IpAddress AddressOf(int number) {
  return Ip("10." + std::to_string(number >> 16) + "." + std::to_string(number >> 8 & 0xFF) + "." +
            std::to_string(number & 0xFF));
}

TEST_F(AddressLimitsTest, ABucketIsRememberedUntilItIsFull) {
  AddressLimits limits(5, 1);
  EXPECT_TRUE(limits.Connect(kAnn));
  EXPECT_EQ(Burst(limits, kAnn), 2);
  limits.Disconnect(kAnn);
  EXPECT_EQ(Burst(limits, kAnn), 0) << "reconnecting does not fill it";
  for (int i = 0; i < 2000; ++i) limits.Handshake(AddressOf(i), now_);
  EXPECT_EQ(limits.size(), 2001U);
  now_ += 2001ms;
  for (int i = 0; i < 2000; ++i) limits.Handshake(AddressOf(100'000 + i), now_);
  EXPECT_EQ(limits.size(), 2000U);
}

TEST_F(AddressLimitsTest, TheOldestIdleAddressesAreForgottenAndNoConnection) {
  AddressLimits limits(1, 1, 1600);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.Connect(AddressOf(i)));
  for (int i = 1000; i < 21'000; ++i) EXPECT_TRUE(limits.Handshake(AddressOf(i), now_));
  EXPECT_LE(limits.size(), 1700U);
  EXPECT_GE(limits.size(), 1500U);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limits.Connect(AddressOf(i)));
  EXPECT_TRUE(limits.Handshake(AddressOf(20'999), now_));
  EXPECT_FALSE(limits.Handshake(AddressOf(20'999), now_)) << "the newest are still known";
  EXPECT_EQ(Burst(limits, AddressOf(1000)), 2) << "the oldest are not";
}

// All threads hold connections of the same few addresses at the limit.
TEST_F(AddressLimitsTest, ThreadsNeverHaveMoreThanTheLimitTogether) {
  constexpr std::size_t kMost = 3;
  constexpr int kAddresses = 5;
  AddressLimits limits(kMost, 1000, 16);
  std::array<std::atomic<std::size_t>, kAddresses> held{};
  std::atomic<std::size_t> worst = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 5000; ++i) {
          const auto place = static_cast<std::size_t>((i + thread) % kAddresses);
          const IpAddress ip = AddressOf(static_cast<int>(place));
          limits.Handshake(AddressOf(i), now_ + std::chrono::milliseconds(i));
          if (thread == 0 && i % 100 == 0) limits.SetLimits(kMost, 1000);
          if (!limits.Connect(ip)) continue;
          const std::size_t now = ++held[place];
          if (now > worst) worst = now;
          --held[place];
          limits.Disconnect(ip);
        }
      });
    }
  }
  EXPECT_LE(worst, kMost);
  for (int place = 0; place < kAddresses; ++place) {
    for (std::size_t i = 0; i < kMost; ++i) EXPECT_TRUE(limits.Connect(AddressOf(place)));
    EXPECT_FALSE(limits.Connect(AddressOf(place)));
  }
}

}  // namespace
}  // namespace connguard
