// Who is answered, and who is sent away.
#include "admin/access.h"

#include <gtest/gtest.h>

#include "canned.h"

namespace connguard {
namespace {

const std::string kToken = "0123456789abcdef";

class AccessTest : public testing::Test {
 protected:
  int StatusOf(const AdminRequest& request, bool open = false) const {
    const auto refusal = RefusalOf(request, config_, open);
    return refusal ? refusal->status : 200;
  }
  int WithHost(const char* host) const {
    AdminRequest request = RequestFor("GET", "/v1/sessions");
    request.host = host;
    return StatusOf(request);
  }
  int WithOrigin(std::string_view method, const char* origin, const char* host) const {
    AdminRequest request = RequestFor(method, "/v1/drain");
    request.origin = origin;
    request.host = host;
    return StatusOf(request);
  }
  std::optional<AdminAnswer> Bearing(const std::string& authorization) const {
    AdminRequest request = RequestFor("GET", "/v1/sessions");
    request.authorization = authorization;
    return RefusalOf(request, config_, false);
  }

  AdminConfig config_{.bind = {"127.0.0.1", 9180, ""}};
};

TEST_F(AccessTest, ANameThatWasMadeToPointHereIsRefused) {
  for (const char* host : {"localhost", "localhost:9180", "LOCALHOST:1", "127.0.0.1",
                           "127.0.0.1:9180", "[::1]:9180", "[::1]", "10.0.0.1:80"}) {
    EXPECT_EQ(WithHost(host), 200) << host;
  }
  for (const char* host : {"evil.example", "evil.example:9180", "localhost.evil.example",
                           "127.0.0.1.evil.example", "localhost,evil.example", "[evil.example]:1",
                           "", ":9180", "[::1", "[::1]evil.example", "localhost:9180:1"}) {
    EXPECT_EQ(WithHost(host), 403) << host;
  }
  EXPECT_EQ(StatusOf(RequestFor("GET", "/v1/sessions")), 200) << "no browser leaves it out";
}

TEST_F(AccessTest, TheNameThatIsBoundIsGood) {
  config_.bind.host = "localhost";
  EXPECT_EQ(WithHost("localhost:9180"), 200);
  config_.bind.host = "guard.internal";  // only in tests: it would need a token
  EXPECT_EQ(WithHost("guard.internal:9180"), 200);
  EXPECT_EQ(WithHost("other.internal:9180"), 403);
}

TEST_F(AccessTest, TheNameIsOfNoConcernToProbesBehindATokenAndOnAUnixSocket) {
  AdminRequest probe = RequestFor("GET", "/readyz");
  probe.host = "guard.example";
  EXPECT_EQ(StatusOf(probe), 200);
  config_.token = kToken;
  EXPECT_EQ(WithHost("guard.example"), 401);
  config_ = {.bind = {"", 0, "/run/a.sock"}};
  EXPECT_EQ(WithHost("guard.example"), 200);
}

TEST_F(AccessTest, ThePageOfAnotherOriginCannotChangeAnything) {
  for (const char* method : {"POST", "DELETE", "PUT", ""}) {
    EXPECT_EQ(WithOrigin(method, "http://localhost:9180", "localhost:9180"), 200) << method;
    EXPECT_EQ(WithOrigin(method, "https://LOCALHOST:9180", "localhost:9180"), 200) << "behind TLS";
    for (const char* origin : {"http://localhost:8080", "http://evil.example", "null", "",
                               "file://", "localhost:9180", "http://localhost"}) {
      EXPECT_EQ(WithOrigin(method, origin, "localhost:9180"), 403) << method << origin;
    }
  }
  EXPECT_EQ(WithOrigin("GET", "http://evil.example", "localhost:9180"), 200) << "cannot read it";
  AdminRequest without_host = RequestFor("POST", "/v1/drain");
  without_host.origin = "http://";
  EXPECT_EQ(StatusOf(without_host), 403);
  config_.token = kToken;
  EXPECT_EQ(WithOrigin("POST", "http://evil.example", "localhost:9180"), 403);
}

TEST_F(AccessTest, TheTokenOpens) {
  config_.token = kToken;
  EXPECT_FALSE(Bearing("Bearer " + kToken));
  EXPECT_FALSE(Bearing("bearer " + kToken));
  for (const std::string wrong :
       {"Bearer 0123456789abcdeF", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer ",
        "Bearer", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer  0123456789abcdef"}) {
    const auto refusal = Bearing(wrong);
    ASSERT_TRUE(refusal) << wrong;
    EXPECT_EQ(refusal->status, 401);
    EXPECT_EQ(refusal->fields.at(0).second, "Bearer realm=\"connguard\", error=\"invalid_token\"");
    EXPECT_EQ(refusal->body.find(kToken), std::string::npos);
  }
  const auto missing = RefusalOf(RequestFor("GET", "/metrics"), config_, false);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 401);
  EXPECT_EQ(missing->fields.at(0),
            std::pair(std::string("www-authenticate"), std::string("Bearer realm=\"connguard\"")));
}

TEST_F(AccessTest, ProbesAndThePageNeedNoToken) {
  config_.token = kToken;
  for (const char* path : {"/livez", "/readyz", "/healthz"}) {
    EXPECT_EQ(StatusOf(RequestFor("GET", path)), 200) << path;
  }
  EXPECT_EQ(StatusOf(RequestFor("GET", "/app.js"), true), 200);
  EXPECT_EQ(StatusOf(RequestFor("GET", "/v1/openapi.json")), 401);
}

}  // namespace
}  // namespace connguard
