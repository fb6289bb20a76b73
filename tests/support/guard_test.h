// GuardTest: a guard, the origin behind it, and the certainty that nothing is left of either's
// connections when a test is over.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/test_client.h"
#include "support/test_guard.h"
#include "support/test_origin.h"

namespace connguard::testing {

// Both ends of one tunnel.
struct Ends {
  TestClient client;
  OriginLeg origin;
};

class GuardTest : public ::testing::Test {
 protected:
  // Call first. `setup.upstream` may be left out: the origin.
  void StartGuard(GuardSetup setup = {}) {
    if (setup.upstream.empty()) setup.upstream = origin_.url();
    guard_.emplace(setup);
  }

  TestGuard& guard() { return *guard_; }

  TestClient Connect(std::string_view target) {
    TestClient client = guard().Connect();
    client.SendHandshake(target);
    return client;
  }

  // A tunnel on which nothing has been said.
  Ends Open(std::string_view target = "/ws/ann", std::string_view request_fields = "",
            std::string_view answer_fields = "") {
    TestClient client = guard().Connect();
    client.SendHandshake(target, request_fields);
    OriginLeg leg = origin_.Accept();
    leg.Upgrade(answer_fields);
    client.ExpectStatus(101);
    return {std::move(client), std::move(leg)};
  }

  // A tunnel whose client has asked something that is not answered yet.
  Ends OpenInTurn(std::string_view target = "/ws/ann") {
    Ends ends = Open(target);
    ends.client.SendText("ask");
    EXPECT_EQ(ends.origin.ReadText(), "ask");
    return ends;
  }

  void TearDown() override {
    origin_.Close();
    if (!guard_) return;
    if (guard_->pid() >= 0) guard_->ExpectNothingLeft();
    guard_.reset();
  }

  TestOrigin origin_;
  std::optional<TestGuard> guard_;
};

}  // namespace connguard::testing
