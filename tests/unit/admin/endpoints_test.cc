// What each admin endpoint answers, without a socket.
#include "admin/endpoints.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "admin/session_json.h"
#include "canned.h"
#include "log/log.h"

namespace connguard {
namespace {

class EndpointsTest : public testing::Test {
 protected:
  AdminAnswer Ask(std::string_view method, std::string_view target) {
    return Endpoints(config_, sources_).Answer(RequestFor(method, target));
  }
  AdminAnswer Get(std::string_view target) { return Ask("GET", target); }
  nlohmann::ordered_json Json(std::string_view target) {
    const AdminAnswer answer = Get(target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.content_type, "application/json");
    return Parse(answer.body);
  }
  // The last digits of the ids, in order.
  std::string Ids(std::string_view target) {
    std::string ids;
    const auto list = Json(target);
    for (const auto& session : list["sessions"]) {
      ids += std::to_string(std::stoull(session["id"].get<std::string>().substr(2)) - 4294967296);
    }
    return ids;
  }

  CannedGuard guard_;
  AdminConfig config_{.bind = {"127.0.0.1", 9180, ""}};
  AdminServer::Sources sources_ = guard_.Sources();
};

TEST_F(EndpointsTest, LiveAndHealthyEvenWhenNotReady) {
  guard_.reason = "draining";
  EXPECT_EQ(Get("/livez").status, 200);
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Parse(Get("/livez").body)["status"], "live");
}

TEST_F(EndpointsTest, ReadyFollowsTheReason) {
  EXPECT_EQ(Json("/readyz")["status"], "ready");
  guard_.reason = "no worker \"listens\" yet";
  const AdminAnswer answer = Get("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(Parse(answer.body)["reason"], *guard_.reason);
}

TEST_F(EndpointsTest, ARefusedReloadIsToldButDoesNotMakeTheGuardUnready) {
  EXPECT_EQ(Json("/readyz")["config"]["last_error"], nullptr);
  guard_.state.SetReloadError("c.yaml:5:3: error: no");
  guard_.state.generation = 7;
  const auto ready = Json("/readyz");
  EXPECT_EQ(ready["config"]["last_error"], "c.yaml:5:3: error: no");
  EXPECT_EQ(ready["config"]["generation"], 7);
  sources_.state = nullptr;
  EXPECT_FALSE(Json("/readyz").contains("config"));
}

TEST_F(EndpointsTest, WhyAReloadWasRefusedIsToldOnlyToWhoHasTheToken) {
  guard_.state.SetReloadError("/etc/secret.yaml:5:3: error: no");
  AdminRequest request = RequestFor("GET", "/readyz");
  const auto told = [&] {
    const AdminAnswer answer = Endpoints(config_, sources_).Answer(request);
    EXPECT_EQ(answer.status, 200);
    return Parse(answer.body)["config"]["last_error"].get<std::string>();
  };
  EXPECT_NE(told().find("secret"), std::string::npos);
  request.host = "evil.example";
  EXPECT_EQ(told().find("secret"), std::string::npos) << "a name that was made to point here";
  config_.token = "0123456789abcdef";
  EXPECT_EQ(told(), "The last reload was refused; why is told with the token.");
  request.authorization = "Bearer 0123456789abcdeX";
  EXPECT_EQ(told().find("secret"), std::string::npos);
  request.authorization = "Bearer 0123456789abcdef";
  EXPECT_NE(told().find("secret"), std::string::npos);
  guard_.state.SetReloadError("");
  request.authorization = std::nullopt;
  EXPECT_EQ(Parse(Endpoints(config_, sources_).Answer(request).body)["config"]["last_error"],
            nullptr);
}

TEST_F(EndpointsTest, MetricsSayWhichFormatTheyAre) {
  EXPECT_EQ(Get("/metrics").body, "metrics 1\n");
  EXPECT_EQ(Get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(EndpointsTest, WhatThereIsNotIsAProblem) {
  for (const char* path : {"", "/livez/", "/LIVEZ", "/metrics/x", "/../livez", "/v1", "/v1/",
                           "/v1/sessions/", "/v1/sessions/0:1/x", "/web/app.js", "/embed.cmake"}) {
    const AdminAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_EQ(Parse(answer.body)["status"], 404);
  }
}

TEST_F(EndpointsTest, AnEndpointWithoutItsSourceIsNotThere) {
  sources_ = {};
  for (const char* path :
       {"/readyz", "/drainz", "/metrics", "/v1/overview", "/v1/sessions", "/v1/sessions/0:1",
        "/v1/keys", "/v1/drain", "/v1/config", "/v1/events"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
  EXPECT_EQ(Ask("POST", "/v1/reload").status, 404);
  EXPECT_EQ(Ask("POST", "/v1/drain").status, 404);
  EXPECT_EQ(Get("/livez").status, 200);
}

struct AllowCase {
  const char* path;
  const char* allow;
};

TEST_F(EndpointsTest, OtherMethodsAreToldWhichThereAre) {
  for (const auto& [path, allow] : std::vector<AllowCase>{{"/livez", "GET, HEAD"},
                                                          {"/v1/sessions", "GET, HEAD"},
                                                          {"/v1/sessions/0:1", "GET, HEAD, DELETE"},
                                                          {"/v1/drain", "GET, HEAD, POST"},
                                                          {"/v1/reload", "POST"},
                                                          {"/", "GET, HEAD"}}) {
    for (const std::string method :
         {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", ""}) {
      if (!method.empty() && std::string(allow).find(method) != std::string::npos) continue;
      const AdminAnswer answer = Ask(method, path);
      EXPECT_EQ(answer.status, 405) << method << path;
      EXPECT_EQ(answer.fields.at(0), std::pair(std::string("allow"), std::string(allow)));
    }
  }
  EXPECT_EQ(guard_.drains, 0);
}

TEST_F(EndpointsTest, ASourceThatThrowsIsAServersErrorAndSaysNothingOfIt) {
  sources_.metrics = []() -> std::string { throw std::runtime_error("secret"); };
  const AdminAnswer answer = Get("/metrics");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
}

TEST_F(EndpointsTest, ASilentWorkerIs503WhereItIsAsked) {
  guard_.silent = true;
  for (const char* path : {"/v1/sessions", "/v1/sessions/0:4294967296", "/v1/keys"}) {
    const AdminAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 503) << path;
    EXPECT_EQ(Parse(answer.body)["detail"], "Worker 1 does not answer.") << path;
  }
  EXPECT_EQ(Ask("DELETE", "/v1/sessions/0:4294967296").status, 503);
  EXPECT_EQ(Ask("POST", "/v1/reload").status, 503);
  EXPECT_EQ(Get("/livez").status, 200);
  EXPECT_EQ(Get("/v1/overview").status, 200);
}

TEST_F(EndpointsTest, ASessionIsShownWithItsKeyHashed) {
  const auto session = Json("/v1/sessions/0:4294967300");
  EXPECT_EQ(session["key"], KeyHash("user-4"));
  EXPECT_EQ(session["client"]["address"], "192.0.2.4:5004");
  EXPECT_EQ(session["client"]["rtt_ms"], 1.1);
  EXPECT_EQ(session["upstream_leg"]["rtt_ms"], nullptr);
  EXPECT_EQ(session["cause"], "client_lost");
  EXPECT_EQ(session["trace_id"], nullptr);
  EXPECT_EQ(session["age_ms"], 5000);
  EXPECT_EQ(session["recorder"][1]["what"], "client text 17 fin");
  EXPECT_EQ(session["recorder"][1]["ago_ms"], 20);
  EXPECT_EQ(Json("/v1/sessions/1:4294967301")["key"], nullptr) << "not fenced";
}

TEST_F(EndpointsTest, NoAnswerHasAKeyInTheClearUnlessToldSo) {
  for (const char* path :
       {"/v1/sessions", "/v1/keys", "/v1/sessions/0:4294967296", "/v1/overview"}) {
    EXPECT_EQ(Get(path).body.find("user-"), std::string::npos) << path;
  }
  config_.show_keys = true;
  EXPECT_EQ(Json("/v1/sessions/0:4294967300")["key"], "user-4");
  EXPECT_EQ(Json("/v1/keys")["keys"][0]["key"], "user-0");
  EXPECT_EQ(Ids("/v1/sessions?key=user-2"), "2");
}

TEST_F(EndpointsTest, AKeyThatIsNotUtf8IsStillJson) {
  config_.show_keys = true;
  guard_.sessions[0].key = "\xff\x01";
  EXPECT_EQ(Json("/v1/sessions/0:4294967296")["key"], "\xEF\xBF\xBD\x01");
}

TEST_F(EndpointsTest, SessionsAreFiltered) {
  EXPECT_EQ(Ids("/v1/sessions"), "543210") << "the oldest first";
  EXPECT_EQ(Ids("/v1/sessions?route=notes"), "30");
  EXPECT_EQ(Ids("/v1/sessions?route=none"), "");
  EXPECT_EQ(Ids("/v1/sessions?state=shielded"), "4");
  EXPECT_EQ(Ids("/v1/sessions?key=" + KeyHash("user-2")), "2");
  EXPECT_EQ(Ids("/v1/sessions?key=user-2"), "");
  EXPECT_EQ(Ids("/v1/sessions?client=192.0.2.3"), "3");
  EXPECT_EQ(Ids("/v1/sessions?client=192.0.2.3:5003"), "3");
  EXPECT_EQ(Ids("/v1/sessions?client=192.0.2"), "");
  guard_.sessions[1].address = "[2001:db8::1]:5001";
  guard_.sessions[2].address = "2001:db8::1";
  EXPECT_EQ(Ids("/v1/sessions?client=2001:db8::1"), "21");
  EXPECT_EQ(Ids("/v1/sessions?client=[2001:db8::1]"), "1");
  EXPECT_EQ(Ids("/v1/sessions?client=2001:db8:"), "");
  EXPECT_EQ(Ids("/v1/sessions?q=not"), "30");
  EXPECT_EQ(Ids("/v1/sessions?q=:5003"), "3");
  EXPECT_EQ(Ids("/v1/sessions?q=0:4294967298"), "2");
  EXPECT_EQ(Ids("/v1/sessions?q=" + KeyHash("user-2").substr(2)), "2");
  EXPECT_EQ(Ids("/v1/sessions?route=chat&state=open&order=asc"), "125");
  const auto list = Json("/v1/sessions?route=notes&limit=1");
  EXPECT_EQ(list["total"], 6);
  EXPECT_EQ(list["matched"], 2);
}

TEST_F(EndpointsTest, SessionsAreSorted) {
  EXPECT_EQ(Ids("/v1/sessions?sort=age&order=asc"), "012345");
  EXPECT_EQ(Ids("/v1/sessions?sort=bytes"), "543210");
  EXPECT_EQ(Ids("/v1/sessions?sort=buffered&order=asc"), "012345");
  EXPECT_EQ(Ids("/v1/sessions?sort=rtt"), "012345") << "the slowest first, those without last";
  EXPECT_EQ(Ids("/v1/sessions?sort=state&order=desc"), "402135") << "shielded first, then by id";
  EXPECT_EQ(Ids("/v1/sessions?sort=route&order=asc"), "241503");
}

TEST_F(EndpointsTest, SessionsComeInPages) {
  EXPECT_EQ(Ids("/v1/sessions?limit=2"), "54");
  EXPECT_EQ(Ids("/v1/sessions?limit=2&offset=4"), "10");
  EXPECT_EQ(Ids("/v1/sessions?limit=4&offset=4"), "10");
  EXPECT_EQ(Ids("/v1/sessions?offset=6"), "");
  EXPECT_EQ(Ids("/v1/sessions?offset=4294967295"), "");
  EXPECT_EQ(Json("/v1/sessions?offset=6")["offset"], 6);
}

TEST_F(EndpointsTest, AWrongParameterIsNamed) {
  for (const auto& [target, why] : std::vector<std::pair<std::string, std::string>>{
           {"sessions?limit=0", "parameter 'limit': expected a number from 1 to 1000"},
           {"sessions?limit=1001", "parameter 'limit': expected a number from 1 to 1000"},
           {"sessions?limit=ten", "parameter 'limit': expected a number from 1 to 1000"},
           {"sessions?limit=5x", "parameter 'limit': expected a number from 1 to 1000"},
           {"sessions?limit=-1", "parameter 'limit': expected a number from 1 to 1000"},
           {"sessions?limit=", "parameter 'limit': has no value"},
           {"sessions?limit", "parameter 'limit': has no value"},
           {"sessions?offset=99999999999999999999",
            "parameter 'offset': expected a number from 0 to 4294967295"},
           {"sessions?sort=size",
            "parameter 'sort': expected one of age, bytes, state, route, rtt, buffered"},
           {"sessions?order=up", "parameter 'order': expected one of asc, desc"},
           {"sessions?state=shield",
            "parameter 'state': expected one of waiting, dialing, orphaned, open, shielded, "
            "lingering, closing, settling, barrier"},
           {"sessions?rout=chat", "parameter 'rout': is none of this endpoint's"},
           {"sessions?route=a&route=b", "parameter 'route': is there twice"},
           {"keys?route=a", "parameter 'route': is none of this endpoint's"},
           {"events?sesion=0:1", "parameter 'sesion': is none of this endpoint's"},
           {"overview?x=1", "parameter 'x': is none of this endpoint's"},
           {"sessions/0:4294967296?x=1", "parameter 'x': is none of this endpoint's"}}) {
    const AdminAnswer answer = Get("/v1/" + target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(Parse(answer.body)["detail"], why) << target;
  }
  EXPECT_EQ(Ask("POST", "/v1/drain?now=1").status, 400);
  EXPECT_EQ(guard_.drains, 0) << "a wrong request does nothing";
  EXPECT_EQ(Get("/livez?verbose").status, 200) << "probes are not so strict";
}

TEST_F(EndpointsTest, DeleteClosesASessionThatThereIs) {
  const AdminAnswer answer = Ask("DELETE", "/v1/sessions/0:4294967300");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(Parse(answer.body)["id"], "0:4294967300");
  EXPECT_EQ(Parse(answer.body)["state"], "shielded");
  EXPECT_EQ(guard_.closed, std::vector<std::string>{"0:4294967300"});
  EXPECT_EQ(Ask("DELETE", "/v1/sessions/0:99").status, 404);
  EXPECT_EQ(Get("/v1/sessions/0:99").status, 404);
  EXPECT_EQ(guard_.closed.size(), 1U);
}

TEST_F(EndpointsTest, DeleteEndsAShieldOnlyWhenItSaysSo) {
  const std::string session = "/v1/sessions/0:4294967300";
  for (const char* query : {"?shield", "?shield=", "?shield=keep", "?shield=END", "?x=end"}) {
    EXPECT_EQ(Ask("DELETE", session + query).status, 400) << query;
  }
  EXPECT_TRUE(guard_.closed.empty()) << "a wrong request does nothing";
  EXPECT_EQ(Parse(Ask("DELETE", session + "?shield=end").body)["state"], "closing");
}

TEST_F(EndpointsTest, DeleteAsksTheWorkerOnce) {
  sources_.session = [](std::string_view) -> std::optional<SessionInfo> {
    ADD_FAILURE() << "the answer says all";
    return std::nullopt;
  };
  EXPECT_EQ(Ask("DELETE", "/v1/sessions/0:4294967300").status, 202);
}

TEST_F(EndpointsTest, KeysAreListed) {
  const auto list = Json("/v1/keys");
  EXPECT_EQ(list["total"], 2);
  const auto held = Json("/v1/keys?q=" + KeyHash("user-0"))["keys"];
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0]["state"], "contended");
  EXPECT_EQ(held[0]["holders"][0]["alive"], false);
  EXPECT_EQ(held[0]["waiter"]["session"], "1:4294967297");
  EXPECT_EQ(Json("/v1/keys?q=0:4294967298")["keys"][0]["waiter"], nullptr);
  EXPECT_EQ(Json("/v1/keys?limit=1&offset=1")["keys"].size(), 1U);
}

TEST_F(EndpointsTest, DrainIsAskedForAndTold) {
  EXPECT_EQ(Json("/v1/drain")["state"], "off");
  EXPECT_EQ(Json("/v1/drain")["deadline"], nullptr);
  guard_.one.route(0).tunnels[TunnelPhase::kOpen].Set(2);
  guard_.state.drain = DrainState::kDraining;
  guard_.state.drain_deadline = std::chrono::system_clock::time_point(std::chrono::seconds(1));
  const AdminAnswer answer = Ask("POST", "/v1/drain");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body,
            "{\"state\":\"draining\",\"deadline\":\"1970-01-01T00:00:01.000Z\",\"left\":2}\n");
  EXPECT_EQ(guard_.drains, 1);
}

TEST_F(EndpointsTest, AReloadTellsWhatCameOfIt) {
  const AdminAnswer applied = Ask("POST", "/v1/reload");
  EXPECT_EQ(applied.status, 200);
  EXPECT_EQ(applied.body,
            "{\"result\":\"applied\",\"generation\":2,\"plan\":{\"live\":[\"routes.chat: "
            "session.settle: 100ms -> 50ms\"],\"restart\":[\"workers: 2 -> 4\"]}}\n");
  guard_.outcome = {.kind = ReloadOutcome::Kind::kUnchanged, .generation = 2};
  EXPECT_EQ(Parse(Ask("POST", "/v1/reload").body)["result"], "unchanged");
  EXPECT_EQ(Parse(Ask("POST", "/v1/reload").body)["plan"]["live"], nlohmann::ordered_json::array());
  guard_.outcome = {.kind = ReloadOutcome::Kind::kRejected, .errors = {"c.yaml:1:1: error: no"}};
  const AdminAnswer rejected = Ask("POST", "/v1/reload");
  EXPECT_EQ(rejected.status, 422);
  EXPECT_EQ(Parse(rejected.body)["errors"][0], "c.yaml:1:1: error: no");
  guard_.outcome = {.kind = ReloadOutcome::Kind::kNoFile};
  EXPECT_EQ(Ask("POST", "/v1/reload").status, 409);
}

TEST_F(EndpointsTest, TheOverviewSumsOverWorkersAndRoutes) {
  guard_.one.connections.Set(3);
  guard_.other.connections.Set(4);
  guard_.other.fence_keys.Set(2);
  guard_.one.route(0).tunnels[TunnelPhase::kOpen].Set(2);
  guard_.other.route(1).tunnels[TunnelPhase::kOpen].Set(1);
  guard_.other.route(1).tunnels[TunnelPhase::kShielded].Set(1);
  guard_.one.route(0).turns_in_flight.Set(2);
  guard_.other.route(1).turns_in_flight.Set(3);
  guard_.one.ping_rtt[Side::kClient].Observe(Millis(3));
  guard_.other.ping_rtt[Side::kClient].Observe(Millis(9000));
  guard_.one.route(0).shield.Observe(Millis(700));
  guard_.other.route(1).shield.Observe(Millis(600));
  Endpoints endpoints(config_, sources_);
  guard_.one.route(0).closes[CloseCause::kClientLost][CodeClass::kNone].Add(2);
  guard_.other.unrouted().closes[CloseCause::kClientLost][CodeClass::kNone].Add(1);
  const auto overview = Parse(endpoints.Answer(RequestFor("GET", "/v1/overview")).body);
  EXPECT_EQ(overview["workers"], 2);
  EXPECT_EQ(overview["connections"], 7);
  EXPECT_EQ(overview["fence_keys"], 2);
  EXPECT_EQ(overview["turns_in_flight"], 5);
  EXPECT_EQ(overview["tunnels"]["open"], 3);
  EXPECT_EQ(overview["tunnels"]["shielded"], 1);
  EXPECT_EQ(overview["drain"]["left"], 4);
  EXPECT_EQ(overview["routes"].size(), 2U);
  EXPECT_EQ(overview["routes"][1]["name"], "notes");
  EXPECT_EQ(overview["routes"][1]["tunnels"]["open"], 1);
  EXPECT_EQ(overview["ping_rtt"]["client"]["counts"][2], 1);
  EXPECT_EQ(overview["ping_rtt"]["client"]["counts"].back(), 1);
  EXPECT_EQ(overview["ping_rtt"]["client"]["bounds_ms"].size() + 1,
            overview["ping_rtt"]["client"]["counts"].size());
  EXPECT_EQ(overview["shield"]["counts"][2], 2);
  EXPECT_EQ(overview["drops"]["causes"].size(), 1U);
  EXPECT_EQ(overview["drops"]["causes"]["client_lost"].size(), 60U);
  EXPECT_EQ(overview["drops"]["causes"]["client_lost"].back(), 3);
}

TEST_F(EndpointsTest, EventsBeginWithAGreeting) {
  const AdminAnswer answer = Get("/v1/events?session=0:1");
  EXPECT_EQ(answer.content_type, "text/event-stream");
  EXPECT_EQ(answer.events.value().session, "0:1");
  EXPECT_TRUE(answer.body.starts_with("event: hello\ndata: {\"version\":\"")) << answer.body;
  EXPECT_EQ(Get("/v1/events").events.value().session, "");
  const std::string data = answer.body.substr(answer.body.find("data: ") + 6);
  EXPECT_EQ(Parse(data)["started_at"], Json("/v1/overview")["started_at"])
      << "one process is told from the next";
}

TEST_F(EndpointsTest, ThePageAndItsFilesAreServed) {
  EXPECT_EQ(Get("/").content_type, "text/html; charset=utf-8");
  EXPECT_NE(Get("/").body.find("<!doctype html>"), std::string::npos);
  EXPECT_EQ(Get("/app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("/style.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(Get("/icon.svg").content_type, "image/svg+xml");
  EXPECT_EQ(Json("/v1/openapi.json")["openapi"], "3.1.0");
  EXPECT_EQ(Get("/v1/config").body, "version: 1\n");
}

TEST_F(EndpointsTest, ABodyThatIsTooLargeOrHasNoEndChangesNothing) {
  AdminRequest request = RequestFor("POST", "/v1/drain");
  request.body = 65'537;
  EXPECT_EQ(Endpoints(config_, sources_).Answer(request).status, 413);
  request.body = std::nullopt;
  EXPECT_EQ(Endpoints(config_, sources_).Answer(request).status, 411);
  EXPECT_EQ(guard_.drains, 0);
  request.body = 65'536;
  EXPECT_EQ(Endpoints(config_, sources_).Answer(request).status, 202);
}

}  // namespace
}  // namespace connguard
