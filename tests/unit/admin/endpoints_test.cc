// What each admin endpoint answers, without a socket.
#include "admin/endpoints.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace connguard {
namespace {

class EndpointsTest : public testing::Test {
 protected:
  AdminAnswer Get(std::string_view path) const { return AnswerFor("GET", path, sources_); }

  std::optional<std::string> reason_;
  AdminServer::Sources sources_{.metrics = [] { return "metrics 1\n"; },
                                .not_ready_reason = [this] { return reason_; }};
};

TEST_F(EndpointsTest, LiveAndHealthyEvenWhenNotReady) {
  reason_ = "draining";
  EXPECT_EQ(Get("/livez").status, 200);
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(nlohmann::json::parse(Get("/livez").body)["status"], "live");
}

TEST_F(EndpointsTest, ReadyFollowsTheReason) {
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(nlohmann::json::parse(Get("/readyz").body)["status"], "ready");
  reason_ = "no worker \"listens\" yet";
  const AdminAnswer answer = Get("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(nlohmann::json::parse(answer.body)["reason"], *reason_);
}

TEST_F(EndpointsTest, MetricsSayWhichFormatTheyAre) {
  EXPECT_EQ(Get("/metrics").body, "metrics 1\n");
  EXPECT_EQ(Get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(EndpointsTest, WhatThereIsNotIsAProblem) {
  for (const char* path : {"/", "", "/livez/", "/LIVEZ", "/metrics/x", "/../livez"}) {
    const AdminAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_EQ(nlohmann::json::parse(answer.body)["status"], 404);
  }
}

TEST_F(EndpointsTest, OnlyGetAndHeadAreAllowed) {
  EXPECT_EQ(AnswerFor("HEAD", "/livez", sources_).status, 200);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", ""}) {
    EXPECT_EQ(AnswerFor(method, "/livez", sources_).status, 405) << method;
  }
}

TEST_F(EndpointsTest, ASourceThatThrowsIsAServersErrorAndSaysNothingOfIt) {
  sources_.metrics = []() -> std::string { throw std::runtime_error("secret"); };
  const AdminAnswer answer = Get("/metrics");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace connguard
