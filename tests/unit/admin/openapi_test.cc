// Holds openapi.json to what a real server answers.
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <set>
#include <stdexcept>

#include "admin/endpoint_table.h"
#include "canned.h"
#include "http_client.h"
#include "schema_check.h"

namespace connguard {
namespace {

using Json = nlohmann::ordered_json;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class OpenApiTest : public testing::Test {
 protected:
  void SetUp() override {
    guard_.one.connections.Set(3);
    guard_.one.route(0).closes[CloseCause::kClientLost][CodeClass::kNone].Add(1);
    guard_.one.ping_rtt[Side::kUpstream].Observe(Millis(3));
    Start();
    document_ = Parse(Ask("GET", "/v1/openapi.json").body);
  }
  void Start(const std::string& token = {}) { Start(guard_.Sources(), token); }
  void Start(AdminServer::Sources sources, const std::string& token = {}) {
    server_ =
        std::make_unique<AdminServer>(AdminConfig{.bind = {"127.0.0.1", 0, ""}, .token = token},
                                      std::move(sources), AdminTiming{.drain_begins = Millis{20}});
  }
  HttpReply Ask(std::string_view method, std::string_view target, std::string_view fields = "") {
    return HttpClient::Tcp(server_->port()).Ask(method, target, fields).value_or(HttpReply{});
  }
  void Expect(const Json& value, const Json& schema, const std::string& what) {
    SchemaCheck check(document_);
    for (const std::string& complaint : check.Check(value, schema)) {
      ADD_FAILURE() << what << ": " << complaint << "\n" << value.dump();
    }
  }
  // Asks, and holds the answer to what the document says of `path`.
  void Expect(int status, const std::string& method, const std::string& path, std::string target,
              std::string_view fields = "") {
    const HttpReply reply = Ask(method, target, fields);
    ASSERT_EQ(reply.status, status) << method << " " << target << reply.body;
    Hold(reply, method, path);
  }
  // Holds an answer to what the document says of `path`.
  void Hold(const HttpReply& reply, const std::string& method, const std::string& path) {
    const std::string status = std::to_string(reply.status);
    const std::string what = method + " " + path + " " + status + " ";
    const Json& operation = document_["paths"].at(path).at(Lower(method));
    ASSERT_TRUE(operation["responses"].contains(status)) << what << reply.body;
    Json response = operation["responses"][status];
    if (response.contains("$ref")) {
      response = document_.at(Json::json_pointer(response["$ref"].get<std::string>().substr(1)));
    }
    const std::string type = reply.Value("content-type");
    const std::string media = type.substr(0, type.find(';'));
    ASSERT_TRUE(response["content"].contains(media)) << what << type;
    seen_.insert(Lower(method) + " " + path + " " + status);
    const Json headers = response.value("headers", Json::object());
    for (const auto& [name, unused] : headers.items()) {
      EXPECT_NE(reply.Value(Lower(name)), "") << what << name;
    }
    if (media.ends_with("json")) {
      Expect(Parse(reply.body), response["content"][media]["schema"], what);
    }
  }
  void Expect(int status, const std::string& method, const std::string& path) {
    Expect(status, method, path, path);
  }
  // Asks every endpoint of the document the same way, but for a stream of events that would begin.
  void HoldAll(const std::string& query, const std::string& fields,
               const std::string& host = "localhost") {
    for (const auto& [path, item] : document_["paths"].items()) {
      for (const auto& [name, operation] : item.items()) {
        if (name == "parameters") continue;
        const std::string method = name == "get" ? "GET" : name == "post" ? "POST" : "DELETE";
        std::string target = path;
        if (target.ends_with("{id}")) target.replace(target.size() - 4, 4, CannedSession(4).id);
        HttpClient client = HttpClient::Tcp(server_->port());
        client.Send(method + " " + target + query + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields +
                    "\r\n");
        if (target == "/v1/events" && query.empty() && host == "localhost") {
          EXPECT_TRUE(client.ReadUntil("\r\n").starts_with("HTTP/1.1 200 "));
          seen_.insert("get /v1/events 200");
          continue;
        }
        Hold(client.Receive().value_or(HttpReply{}), method, path);
      }
    }
  }
  // Of a server that ends while somebody waits for it.
  void HoldTheEnd() {
    HttpClient client = HttpClient::Tcp(server_->port());
    guard_.state.drain = DrainState::kDraining;
    client.Send("GET /drainz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_EQ(Ask("GET", "/livez").status, 200) << "behind it, on one thread";
    server_.reset();
    guard_.state.drain = DrainState::kOff;
    Hold(client.Receive().value_or(HttpReply{}), "GET", "/drainz");
  }
  AdminServer::Sources BrokenSources() {
    AdminServer::Sources sources = guard_.Sources();
    sources.metrics = sources.config = []() -> std::string { throw std::runtime_error("broken"); };
    sources.not_ready_reason = []() -> std::optional<std::string> { throw std::bad_alloc(); };
    sources.route_names = []() -> std::vector<std::string> { throw std::bad_alloc(); };
    return sources;
  }

  CannedGuard guard_;
  std::unique_ptr<AdminServer> server_;
  Json document_;
  std::set<std::string> seen_;
};

TEST_F(OpenApiTest, EveryAnswerIsAsTheDocumentSays) {
  for (const char* path :
       {"/livez", "/healthz", "/readyz", "/metrics", "/v1/overview", "/v1/sessions", "/v1/keys",
        "/v1/drain", "/v1/config", "/v1/openapi.json", "/"}) {
    Expect(200, "GET", path);
  }
  const std::string session = "/v1/sessions/{id}";
  Expect(200, "GET", session, "/v1/sessions/0:4294967300");
  Expect(404, "GET", session, "/v1/sessions/0:1");
  Expect(202, "DELETE", session, "/v1/sessions/0:4294967300");
  Expect(404, "DELETE", session, "/v1/sessions/0:1");
  Expect(400, "DELETE", session, "/v1/sessions/0:1?shield=x");
  Expect(400, "GET", "/v1/sessions", "/v1/sessions?sort=x");
  Expect(400, "GET", "/v1/keys", "/v1/keys?limit=0");
  Expect(400, "GET", "/v1/events", "/v1/events?a=b");
  Expect(202, "POST", "/v1/drain");
  Expect(503, "GET", "/drainz");
  HoldTheEnd();
  Start();
  Expect(403, "POST", "/v1/drain", "/v1/drain", "Origin: null\r\n");
  Expect(200, "POST", "/v1/reload");
  guard_.outcome.kind = ReloadOutcome::Kind::kNoFile;
  Expect(409, "POST", "/v1/reload");
  guard_.outcome = {.kind = ReloadOutcome::Kind::kRejected, .errors = {"c.yaml:1:1: error: no"}};
  Expect(422, "POST", "/v1/reload");
  guard_.reason = "draining";
  guard_.state.SetReloadError("c.yaml:1:1: error: no");
  guard_.state.drain_deadline = std::chrono::system_clock::now();
  Expect(503, "GET", "/readyz");
  Expect(200, "GET", "/v1/drain");
  guard_.silent = true;
  for (const char* path : {"/v1/sessions", "/v1/keys"}) Expect(503, "GET", path);
  Expect(503, "GET", session, "/v1/sessions/0:1");
  Expect(503, "DELETE", session, "/v1/sessions/0:1");
  Expect(503, "POST", "/v1/reload");
  Start("0123456789abcdef");
  for (const char* path : {"/metrics", "/v1/overview", "/v1/events"}) Expect(401, "GET", path);
  Expect(401, "DELETE", session, "/v1/sessions/0:1");

  for (const auto& [path, item] : document_["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method == "parameters" || path == "/v1/events") continue;
      const bool there = std::ranges::any_of(seen_, [&, p = path, m = method](const auto& entry) {
        return entry.starts_with(m + " " + p + " 20");
      });
      EXPECT_TRUE(there) << method << " " << path << " was not tried";
    }
  }
}

TEST_F(OpenApiTest, WhatAnyEndpointCanAnswerIsInTheDocumentAndNothingElse) {
  HoldAll("", "");
  HoldAll("?x=1", "");
  HoldAll("", "Transfer-Encoding: chunked\r\n");
  HoldAll("", "Content-Length: 65537\r\n");
  HoldAll("", "", "evil.example");
  guard_.reason = "draining";
  guard_.sessions.clear();
  HoldAll("", "");
  guard_.silent = true;
  HoldAll("", "");
  Start(BrokenSources());
  HoldAll("", "");
  {
    std::vector<HttpClient> watchers;
    for (std::size_t i = 0; i < 16; ++i) {
      watchers.push_back(HttpClient::Tcp(server_->port()));
      watchers.back().Send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
      ASSERT_NE(watchers.back().ReadUntil("event: hello\n"), "");
    }
    Expect(503, "GET", "/v1/events");
  }
  Start("0123456789abcdef");
  HoldAll("?x=1", "");
  HoldTheEnd();
  Start();
  guard_.silent = false;
  guard_.outcome.kind = ReloadOutcome::Kind::kNoFile;
  Expect(409, "POST", "/v1/reload");
  guard_.outcome.kind = ReloadOutcome::Kind::kRejected;
  Expect(422, "POST", "/v1/reload");

  for (const auto& [path, item] : document_["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method == "parameters") continue;
      for (const auto& [status, unused] : operation["responses"].items()) {
        EXPECT_TRUE(seen_.contains(method + " " + path + " " + status))
            << method << " " << path << " never answers " << status;
      }
    }
  }
}

TEST_F(OpenApiTest, EveryEndpointIsInTheDocumentAndNoOther) {
  std::set<std::string> documented;
  for (const auto& [path, item] : document_["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method != "parameters") documented.insert(method + " " + path);
    }
  }
  std::set<std::string> served;
  for (const EndpointRow& row : EndpointsTable()) {
    const bool file = row.path.find('/', 1) == std::string_view::npos &&
                      row.path.find('.') != std::string_view::npos;
    if (!file) served.insert(Lower(std::string(row.method)) + " " + std::string(row.path));
  }
  EXPECT_EQ(documented, served);
}

TEST_F(OpenApiTest, EveryParameterIsReadAndNoOther) {
  for (const auto& [path, item] : document_["paths"].items()) {
    if (!item.contains("get") || !item["get"].contains("parameters") || path == "/v1/events")
      continue;
    for (const Json& parameter : item["get"]["parameters"]) {
      const Json& schema = parameter["schema"];
      const auto name = parameter["name"].get<std::string>();
      std::vector<std::string> values{"1"};
      if (schema.contains("enum")) values = schema["enum"].get<std::vector<std::string>>();
      if (schema.contains("minimum")) {
        values = {schema["minimum"].dump(), schema["maximum"].dump(), schema["default"].dump()};
        const auto above = std::to_string(schema["maximum"].get<std::uint64_t>() + 1);
        EXPECT_EQ(Ask("GET", path + "?" + name + "=" + above).status, 400) << name;
      }
      for (const std::string& value : values) {
        EXPECT_EQ(Ask("GET", path + "?" + name + "=" + value).status, 200) << name << value;
      }
      if (!schema.contains("default")) continue;
      const Json& otherwise = schema["default"];
      const std::string text =
          otherwise.is_string() ? otherwise.get<std::string>() : otherwise.dump();
      const Json with = Parse(Ask("GET", path + "?" + name + "=" + text).body);
      const Json without = Parse(Ask("GET", path).body);
      EXPECT_EQ(with["matched"], without["matched"]) << name;
      if (with.contains("sessions")) {
        EXPECT_EQ(with["sessions"][0]["id"], without["sessions"][0]["id"]) << name;
      }
    }
  }
}

TEST_F(OpenApiTest, EveryEventIsAsTheDocumentSays) {
  const Json& events = document_["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]
                                ["text/event-stream"]["schema"]["x-events"];
  HttpClient client = HttpClient::Tcp(server_->port());
  client.Send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_NE(client.ReadUntil("\r\n\r\n"), "");
  std::set<std::string> seen{"gap"};
  const auto expect_next = [&] {
    const std::string text = client.ReadUntil("\n\n");
    const std::size_t begin = text.find("event: ") + 7;
    const std::string name = text.substr(begin, text.find('\n', begin) - begin);
    ASSERT_TRUE(events.contains(name)) << text;
    Expect(Parse(text.substr(text.find("data: ") + 6)), events[name], name);
    seen.insert(name);
  };
  expect_next();
  for (int kind = 0; kind <= static_cast<int>(AdminEvent::Kind::kDrain); ++kind) {
    guard_.feed.Publish({.kind = static_cast<AdminEvent::Kind>(kind),
                         .at = std::chrono::system_clock::now(),
                         .session = CannedSession(kind),
                         .status = 503,
                         .why = "why"});
    expect_next();
  }
  for (const auto& [name, unused] : events.items()) EXPECT_TRUE(seen.contains(name)) << name;
}

TEST(SchemaCheckTest, FindsWhatIsWrong) {
  const Json document = Parse(R"({"a":{"type":"object","required":["n"],"properties":
      {"n":{"type":"integer","minimum":1},"t":{"type":"string","format":"date-time"},
       "l":{"type":"array","items":{"type":["string","null"]},"maxItems":2}}}})");
  const Json schema = Parse(R"({"allOf":[{"$ref":"#/a"},{"type":"object","properties":
      {"w":{"oneOf":[{"enum":["x"]},{"type":"null"}]}}}]})");
  SchemaCheck check(document);
  for (const char* good :
       {R"({"n":1})", R"({"n":2,"t":"2026-01-01T00:00:00.000Z","l":["",null],"w":null})",
        R"({"n":2,"w":"x"})"}) {
    EXPECT_TRUE(check.Check(Parse(good), schema).empty()) << good;
  }
  for (const char* bad : {"{}", R"({"n":0})", R"({"n":"1"})", R"({"n":1.5})",
                          R"({"n":1,"t":"now"})", R"({"n":1,"l":[1]})", R"({"n":1,"l":["","",""]})",
                          R"({"n":1,"w":"y"})", R"({"n":1,"z":1})"}) {
    EXPECT_EQ(check.Check(Parse(bad), schema).size(), 1U) << bad;
  }
}

}  // namespace
}  // namespace connguard
